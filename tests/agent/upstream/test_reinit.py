"""Waiting for the word that a workspace was claimed."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from agent.network import asked
from agent.upstream import until_claimed
from agent.upstream.reinit import SILENT_FOR
from tests.agent.waiting import until
from tests.support.clock import FakeClock

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PING = b"event: ping\ndata: null\n\n"
CLAIM = b'event: data\ndata: {"workspaceID": "x", "reason": "prebuild_claimed"}\n\n'
Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(answers: list[Say]) -> str:
    """Answer one connection after the other, and the last one always; return the URL."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await (answers.pop(0) if len(answers) > 1 else answers[0])(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/reinit"


def says(*pieces: bytes, ends: bool = True) -> Say:
    async def say(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if ends:
            writer.close()

    return say


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, chunk(PING), chunk(CLAIM)],
        [HEAD, *(chunk(bytes([each])) for each in PING + CLAIM)],
        [HEAD, chunk(CLAIM.replace(b"\n", b"\r\n"))],
        [HEAD, chunk(b": hello\n\nevent: data\ndata: nonsense\n\n" + CLAIM)],
    ],
)
async def test_the_word_is_heard_among_pings_and_nonsense(pieces: list[bytes]) -> None:
    url = await serve([says(*pieces)])
    async with asyncio.timeout(10):
        await until_claimed(partial(asked, url), FakeClock())


async def test_whatever_is_no_claim_is_asked_again() -> None:
    claim_of_another_kind = CLAIM.replace(b"prebuild_claimed", b"tea_is_ready")
    ping_with_reason = CLAIM.replace(b"event: data", b"event: ping")
    answers = [
        says(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
        says(b"not HTTP"),
        says(HEAD, chunk(PING)),
        says(HEAD, chunk(claim_of_another_kind), chunk(ping_with_reason), b"0\r\n\r\n"),
        says(HEAD, chunk(b"x" * 70_000)),
        says(HEAD, chunk(CLAIM)),
    ]
    url, clock = await serve(answers), FakeClock()
    waiting = asyncio.ensure_future(until_claimed(partial(asked, url), clock))
    async with asyncio.timeout(20):
        while not waiting.done():
            await clock.advance(1)
            await asyncio.wait({waiting}, timeout=0.01)
    assert len(answers) == 1


async def test_a_server_that_falls_silent_is_asked_again() -> None:
    answers = [says(HEAD, chunk(PING), ends=False), says(HEAD, chunk(CLAIM))]
    url, clock = await serve(answers), FakeClock()
    waiting = asyncio.ensure_future(until_claimed(partial(asked, url), clock))
    await until(lambda: len(answers) == 1)
    await clock.wake_within(SILENT_FOR)
    await clock.wake_within(1)
    async with asyncio.timeout(10):
        await waiting
