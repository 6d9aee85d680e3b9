"""HTTP over streams: bodies both ways, WebSockets, tables of routes, and clients that misbehave."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import h11
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from agent.network.frames import Ended, Frames
from agent.network.http import (
    PATIENCE,
    Answer,
    Content,
    Front,
    Refusal,
    Reply,
    Request,
    Table,
    Upgrade,
)
from agent.network.http import front as front_module
from coder_cli.sdk.agentapi import BadShape
from tests.agent.frames import End
from tests.support.clock import FakeClock

HEAD = b"GET / HTTP/1.1\r\nhost: agent\r\n\r\n"


@dataclass
class Client:
    """A stream to a front."""

    end: End
    serving: "asyncio.Task[None]"

    async def rest(self) -> bytes:
        """Return all that comes until the agent ends its direction."""
        content = b""
        async with asyncio.timeout(20):
            while True:
                try:
                    frame = await self.end.recv()
                except Ended:
                    return content
                assert isinstance(frame, bytes)
                if not frame:
                    return content
                content += frame

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body of the next answer."""
        http = h11.Connection(h11.CLIENT)
        http.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
        http.send(h11.EndOfMessage())
        status, content = 0, b""
        async with asyncio.timeout(20):
            while True:
                event = http.next_event()
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    content += event.data
                elif isinstance(event, h11.EndOfMessage):
                    return status, content
                else:
                    frame = await self.end.recv()
                    assert isinstance(frame, bytes)
                    http.receive_data(frame)


@asynccontextmanager
async def connected(table: Table, clock: FakeClock | None = None) -> AsyncGenerator[Client]:
    """Yield a client of ``table``."""
    ours, theirs = End.pair()
    serving = asyncio.ensure_future(Front(table, clock or FakeClock()).serve(theirs))
    try:
        yield Client(ours, serving)
    finally:
        await ours.close()
        async with asyncio.timeout(20):
            await asyncio.wait({serving})


def table_of(method: str, path: str, reply: Reply | Exception) -> Table:
    async def handler(_: Request) -> Reply:
        if isinstance(reply, Exception):
            raise reply
        return reply

    table = Table()
    table.add(method, path, handler)
    return table


async def test_one_stream_carries_many_requests() -> None:
    async with connected(table_of("GET", "/", Answer(200, {"a": 1}))) as client:
        for _ in range(3):
            await client.end.send(HEAD)
            assert await client.answer() == (200, b'{"a": 1}\n')


async def test_paths_have_parameters() -> None:
    async def echo(request: Request) -> Reply:
        return Answer(200, [dict(request.params), dict(request.query), request.headers["x-y"]])

    table = Table()
    table.add("GET", "/a/{id}/b", echo)
    async with connected(table) as client:
        await client.end.send(b"GET /a/x%20%2Fy/b?q=1&q=2 HTTP/1.1\r\nhost: a\r\nX-Y: z\r\n\r\n")
        assert json.loads((await client.answer())[1]) == [{"id": "x /y"}, {"q": "2"}, "z"]
        await client.end.send(b"GET /a//b HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await client.answer())[0] == 404


@pytest.mark.parametrize(
    ("error", "status", "answer"),
    [
        (Refusal(418, "No."), 418, {"message": "No."}),
        (Refusal(400, "No.", "why"), 400, {"message": "No.", "detail": "why"}),
        (BadShape("x"), 400, {"message": "Request body must be valid.", "detail": "x"}),
        (
            FileNotFoundError("bug"),
            500,
            {"message": "The agent failed to answer; its log says why."},
        ),
        (KeyError("bug"), 500, {"message": "The agent failed to answer; its log says why."}),
    ],
)
async def test_what_a_handler_raises_is_an_answer(
    error: Exception, status: int, answer: object
) -> None:
    async with connected(table_of("GET", "/", error)) as client:
        await client.end.send(HEAD)
        code, content = await client.answer()
        assert (code, json.loads(content)) == (status, answer)


async def test_methods_and_paths_that_nobody_has_are_told() -> None:
    async with connected(table_of("POST", "/a", Answer(200, {}))) as client:
        await client.end.send(b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n")
        assert await client.answer() == (405, b'{"message": "/a takes POST only."}\n')
        await client.end.send(b"GET /b HTTP/1.1\r\nhost: a\r\n\r\n")
        assert await client.answer() == (404, b'{"message": "There is no \'/b\' here."}\n')


async def pieces(count: int) -> AsyncGenerator[bytes, None]:
    for number in range(count):
        yield b"%d" % number * 100_000


@pytest.mark.parametrize("length", [None, 500_000])
async def test_content_is_streamed(length: int | None) -> None:
    async with connected(table_of("GET", "/", Content(pieces(5), "text/x", length))) as client:
        await client.end.send(HEAD)
        status, content = await client.answer()
        assert (status, content) == (200, b"".join(b"%d" % one * 100_000 for one in range(5)))


async def test_content_that_breaks_off_is_no_whole_answer() -> None:
    async def broken() -> AsyncGenerator[bytes, None]:
        yield b"half"
        raise OSError("disk")

    async with connected(table_of("GET", "/", Content(broken()))) as client:
        await client.end.send(HEAD)
        content = await client.rest()
        assert content.endswith(b"half\r\n")  # Without the last chunk, which is empty.


async def test_a_body_is_read_piece_by_piece() -> None:
    async def count(request: Request) -> Reply:
        return Answer(200, sum([len(chunk) async for chunk in request.chunks]))

    table = Table()
    table.add("POST", "/", count)
    async with connected(table) as client:
        await client.end.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900000\r\n\r\n")
        for _ in range(9):
            await client.end.send(b"x" * 100_000)
        assert await client.answer() == (200, b"900000\n")
        await client.end.send(
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        assert await client.answer() == (200, b"3\n")


async def test_a_handler_is_cancelled_when_its_client_hangs_up() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_: Request) -> Reply:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    table = Table()
    table.add("GET", "/", wait)
    async with connected(table) as client:
        await client.end.send(HEAD)
        async with asyncio.timeout(20):
            await began.wait()
            await client.end.close()
            await cancelled.wait()


async def test_a_client_that_sends_half_a_body_is_given_up() -> None:
    clock = FakeClock()

    async def read(request: Request) -> Reply:
        return Answer(200, len(await request.read()))

    table = Table()
    table.add("POST", "/", read)
    async with connected(table, clock) as client:
        await client.end.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nabc")
        giving_up = asyncio.ensure_future(client.rest())
        while not giving_up.done():
            await clock.advance(PATIENCE)
        assert b"200" not in await giving_up


async def test_so_many_streams_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_module, "MOST_CONNECTIONS", 1)
    api = Front(table_of("GET", "/", Answer(200, {})), FakeClock())
    ends = [End.pair() for _ in range(2)]
    tasks = [asyncio.ensure_future(api.serve(theirs)) for _, theirs in ends]
    statuses: list[int] = []
    for (ours, _), task in zip(ends, tasks, strict=True):
        client = Client(ours, task)
        await ours.send(HEAD)
        statuses.append((await client.answer())[0])
    assert statuses == [200, 503]
    for ours, _ in ends:
        await ours.close()
    async with asyncio.timeout(20):
        await asyncio.wait(tasks)


class WebSocketClient:
    """The other end of an upgraded stream."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.protocol = ClientProtocol(parse_uri("ws://agent/ws"), max_size=None)
        self.events: list[object] = []

    async def shake(self) -> int:
        """Ask for a WebSocket; return the status."""
        self.protocol.send_request(self.protocol.connect())
        await self.flush()
        answer = await self._event()
        assert isinstance(answer, Response)
        return answer.status_code

    async def flush(self) -> None:
        """Send what is to be sent."""
        for data in self.protocol.data_to_send():
            if data:
                await self.client.end.send(data)

    async def take(self) -> None:
        """Take the next bytes."""
        data = await self.client.end.recv()
        assert isinstance(data, bytes)
        if data:
            self.protocol.receive_data(data)

    async def frame(self) -> Frame:
        """Return the next frame."""
        event = await self._event()
        assert isinstance(event, Frame)
        return event

    async def _event(self) -> object:
        async with asyncio.timeout(20):
            while not self.events:
                await self.take()
                self.events += self.protocol.events_received()
                await self.flush()
        return self.events.pop(0)


def echo() -> Table:
    async def serve(frames: Frames) -> None:
        await frames.send("hello")
        while True:
            message = await frames.recv()
            if message == b"end":
                await frames.close(4000, "enough")
                return
            await frames.send(message)

    return table_of("GET", "/ws", Upgrade(serve, largest=1000))


async def test_a_stream_becomes_a_websocket() -> None:
    async with connected(echo()) as client:
        socket = WebSocketClient(client)
        assert await socket.shake() == 101
        assert (await socket.frame()).data == b"hello"
        socket.protocol.send_text(b"gr\xc3\xbc", fin=False)
        socket.protocol.send_continuation(b"n", fin=True)
        await socket.flush()
        said = await socket.frame()
        assert (said.opcode, bytes(said.data)) == (Opcode.TEXT, "grün".encode())
        socket.protocol.send_binary(b"\0\1")
        await socket.flush()
        said = await socket.frame()
        assert (said.opcode, bytes(said.data)) == (Opcode.BINARY, b"\0\1")
        socket.protocol.send_binary(b"end")
        await socket.flush()
        assert (await socket.frame()).opcode is Opcode.CLOSE
        assert socket.protocol.close_rcvd is not None
        assert (socket.protocol.close_rcvd.code, socket.protocol.close_rcvd.reason) == (
            4000,
            "enough",
        )


async def test_a_message_that_is_too_large_ends_the_websocket() -> None:
    async with connected(echo()) as client:
        socket = WebSocketClient(client)
        await socket.shake()
        await socket.frame()
        socket.protocol.send_binary(b"x" * 1001)
        await socket.flush()
        assert (await socket.frame()).opcode is Opcode.CLOSE
        assert socket.protocol.close_rcvd is not None
        assert socket.protocol.close_rcvd.code == 1009


async def test_who_asks_for_no_websocket_gets_none() -> None:
    async with connected(echo()) as client:
        await client.end.send(b"GET /ws HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await client.rest()).startswith(b"HTTP/1.1 426 ")


async def test_a_ping_is_answered() -> None:
    pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def serve(frames: Frames) -> None:
        waiting = await frames.ping()
        await frames.recv()
        pong.set_result(await waiting)

    async with connected(table_of("GET", "/ws", Upgrade(serve))) as client:
        socket = WebSocketClient(client)
        await socket.shake()
        assert (await socket.frame()).opcode is Opcode.PING
        socket.protocol.send_binary(b"x")
        await socket.flush()
        async with asyncio.timeout(20):
            await pong
