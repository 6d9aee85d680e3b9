"""Streams: every byte both ways, half-closed ends, refusals with their reason, dead servers."""

import asyncio
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from coder_cli.sdk.direct import Direct
from coder_cli.sdk.errors import ApiError, Unreachable
from coder_cli.sdk.stream import FRAME, Stream, StreamEnded, open_stream

Handler = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def relay(handler: Handler) -> Generator[Direct]:
    """Run a WebSocket server in a thread; it refuses the token ``bad`` like the real one."""
    ready: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = []
    started = threading.Event()

    def judge(connection: ServerConnection, request: Request) -> Response | None:
        if request.headers["Coder-Session-Token"] == "bad":
            answer = connection.respond(HTTPStatus.NOT_FOUND, '{"message":"No such agent."}')
            answer.headers["Content-Type"] = "application/json"
            return answer
        return None

    async def main() -> None:
        done = asyncio.Event()
        async with serve(
            handler, "127.0.0.1", 0, process_request=judge, compression=None, max_size=FRAME
        ) as server:
            port = server.sockets[0].getsockname()[1]
            ready.append((port, asyncio.get_running_loop(), done))
            started.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    started.wait(10)
    port, loop, done = ready[0]
    try:
        yield Direct(f"http://127.0.0.1:{port}", "good")
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)


async def echo(connection: ServerConnection) -> None:
    """Send back what comes, its end too."""
    async for message in connection:
        await connection.send(message)
        if not message:
            return


def run(stream: Stream, data: bytes) -> bytes:
    """Pump ``data`` through ``stream`` and return what comes back."""
    near, far = socket.socketpair()
    received = bytearray()

    def read() -> None:
        while chunk := near.recv(65536):
            received.extend(chunk)

    def write() -> None:
        near.sendall(data)
        near.shutdown(socket.SHUT_WR)

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    fd = far.fileno()
    try:
        stream.pump(fd, fd, close_writer=lambda: far.shutdown(socket.SHUT_WR))
    finally:
        far.close()
        stream.close()
        for thread in threads:
            thread.join(10)
    return bytes(received)


@pytest.mark.parametrize("size", [0, 1, FRAME, 5 * FRAME + 17])
def test_every_byte_comes_back_and_the_end_too(size: int) -> None:
    data = os.urandom(size)
    with relay(echo) as api:
        assert run(open_stream(api, "a", 22), data) == data


def test_bytes_that_come_with_the_handshake_are_not_lost() -> None:
    async def greet(connection: ServerConnection) -> None:
        await connection.send(b"SSH-2.0-hello\r\n")
        await connection.send(b"")
        await connection.wait_closed()

    with relay(greet) as api:
        assert run(open_stream(api, "a", 22), b"") == b"SSH-2.0-hello\r\n"


def test_a_refusal_carries_the_servers_sentence() -> None:
    with relay(echo) as api:
        api.token = "bad"
        with pytest.raises(ApiError, match="No such agent") as refusal:
            open_stream(api, "a", 22)
        assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (4403, "You may no longer use this workspace.", "You may no longer"),
        (1012, "", "the server stopped"),
        (4000, "", r"the server cut the connection \(4000\)"),
    ],
)
def test_a_cut_says_why_after_the_last_bytes(code: int, reason: str, words: str) -> None:
    async def cut(connection: ServerConnection) -> None:
        await connection.send(b"almost")
        await connection.close(code, reason)

    near, far = socket.socketpair()
    with relay(cut) as api, pytest.raises(StreamEnded, match=words):
        open_stream(api, "a", 22).pump(
            far.fileno(), far.fileno(), close_writer=lambda: far.shutdown(socket.SHUT_WR)
        )
    assert near.recv(100) == b"almost"
    near.close()
    far.close()


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        open_stream(Direct("http://127.0.0.1:1", "good"), "a", 22)
