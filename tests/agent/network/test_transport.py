"""A protocol that runs over frames notices nothing: data, pauses, ends."""

import asyncio

from typing_extensions import override

from agent.network import serve_protocol
from agent.network.transport import HIGH_WATER
from coder_cli.sdk.agentapi import FRAME
from tests.agent.frames import End
from tests.agent.waiting import until


class Recorder(asyncio.Protocol):
    """Keeps what happens."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.keep_open = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.events.append(data)

    @override
    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.keep_open

    @override
    def pause_writing(self) -> None:
        self.events.append("pause")

    @override
    def resume_writing(self) -> None:
        self.events.append("resume")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(("lost", type(exc).__name__ if exc else None))


def _serve(first: bytes = b"") -> tuple[Recorder, End, "asyncio.Task[None]"]:
    ours, far = End.pair()
    recorder = Recorder()
    task = asyncio.ensure_future(serve_protocol(ours, lambda: recorder, first))
    return recorder, far, task


async def test_writes_of_one_turn_leave_as_one_frame_of_limited_size() -> None:
    recorder, far, task = _serve()
    await asyncio.sleep(0)
    recorder.transport.writelines([b"a", b"b"])
    assert await far.recv() == b"ab"
    recorder.transport.write(bytes(FRAME + 5))
    assert [len(await far.recv()), len(await far.recv())] == [FRAME, 5]
    recorder.transport.close()
    await task
    assert recorder.events == [("lost", None)]


async def test_what_was_written_before_closing_arrives() -> None:
    recorder, far, task = _serve()
    await asyncio.sleep(0)
    recorder.transport.write(b"last")
    recorder.transport.close()
    recorder.transport.write(b"too late")
    await task
    assert await far.recv() == b"last"
    assert recorder.transport.is_closing()


async def test_what_was_read_before_comes_first() -> None:
    recorder, far, task = _serve(b"SSH-2.0-x")
    await far.send(b"more")
    await far.send("text frames mean nothing here")
    await far.send(b"")
    await task
    assert recorder.events == [b"SSH-2.0-x", b"more", "eof", ("lost", None)]


async def test_the_end_of_input_need_not_be_the_end() -> None:
    recorder, far, task = _serve()
    recorder.keep_open = True
    await far.send(b"")
    await until(lambda: recorder.events)
    recorder.transport.write(b"still here")
    recorder.transport.write_eof()
    assert await far.recv() == b"still here"
    assert await far.recv() == b""
    recorder.transport.abort()
    await task


async def test_a_stream_that_breaks_is_a_connection_that_is_lost() -> None:
    recorder, far, task = _serve()
    await asyncio.sleep(0)
    far.abort()
    await task
    assert recorder.events == [("lost", "ConnectionResetError")]


async def test_a_protocol_that_pauses_gets_nothing_until_it_resumes() -> None:
    recorder, far, task = _serve()
    await asyncio.sleep(0)
    recorder.transport.pause_reading()
    assert not recorder.transport.is_reading()
    await far.send(b"one")
    await far.send(b"two")
    for _ in range(10):
        await asyncio.sleep(0)
    assert recorder.events in ([], [b"one"])  # One read may have been under way.
    recorder.transport.resume_reading()
    await until(lambda: recorder.events == [b"one", b"two"])
    recorder.transport.close()
    await task


async def test_a_protocol_that_writes_too_fast_is_asked_to_pause() -> None:
    recorder, far, task = _serve()
    await asyncio.sleep(0)
    recorder.transport.write(bytes(HIGH_WATER + 1))
    assert recorder.events == ["pause"]
    assert recorder.transport.get_write_buffer_size() == HIGH_WATER + 1
    received = 0
    while received < HIGH_WATER + 1:
        received += len(await far.recv())
    await asyncio.sleep(0)
    assert recorder.events == ["pause", "resume"]
    recorder.transport.close()
    await task
