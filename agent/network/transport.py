"""A stream of frames as an asyncio transport, so that a protocol needs no socket of its own.

This is how the SSH server gets its bytes: no listening port exists in the workspace that another
user of the same machine could reach.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from agent.network.frames import Ended, Frames
from coder_cli.sdk.agentapi import FRAME

HIGH_WATER = 4 * FRAME
_PEER = ("127.0.0.1", 0)


async def serve_protocol(
    frames: Frames, factory: Callable[[], asyncio.Protocol], first: bytes = b""
) -> None:
    """Run a protocol over ``frames`` until either side closes; ``first`` was read before."""
    transport = _StreamTransport(frames, factory())
    await transport.run(first)


class _StreamTransport(asyncio.Transport):
    def __init__(self, frames: Frames, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": _PEER, "sockname": _PEER})
        self._frames = frames
        self._protocol = protocol
        self._out = bytearray()
        self._wake = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._eof = False
        self._closing = False
        self._paused_protocol = False

    async def run(self, first: bytes) -> None:
        reason: Exception | None = None
        self._protocol.connection_made(self)
        try:
            if first:
                self._protocol.data_received(first)
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read())
                await self._write()
                reader.cancel()
        except* Ended:
            reason = ConnectionResetError("the stream ended")
        finally:
            self._closing = True
            self._protocol.connection_lost(reason)
        await self._frames.close()

    async def _read(self) -> None:
        while True:
            await self._may_read.wait()
            data = await self._frames.recv()
            if isinstance(data, str):
                continue
            if data:
                self._protocol.data_received(data)
            elif not self._protocol.eof_received():
                self.close()

    async def _write(self) -> None:
        # Writes of one turn of the loop leave as one frame: SSH writes packet by packet.
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._out:
                frame = bytes(memoryview(self._out)[:FRAME])
                del self._out[:FRAME]
                await self._frames.send(frame)
                self._relax()
            if self._closing:
                return
            if self._eof:
                self._eof = False
                await self._frames.send(b"")

    def _relax(self) -> None:
        if self._paused_protocol and len(self._out) <= HIGH_WATER // 4:
            self._paused_protocol = False
            self._protocol.resume_writing()

    @override
    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        if self._closing:
            return
        self._out += data
        self._wake.set()
        if len(self._out) > HIGH_WATER and not self._paused_protocol:
            self._paused_protocol = True
            self._protocol.pause_writing()

    @override
    def write_eof(self) -> None:
        self._eof = True
        self._wake.set()

    @override
    def can_write_eof(self) -> bool:
        return True

    @override
    def close(self) -> None:
        self._closing = True
        self._wake.set()

    @override
    def abort(self) -> None:
        self._out.clear()
        self.close()

    @override
    def is_closing(self) -> bool:
        return self._closing

    @override
    def is_reading(self) -> bool:
        return self._may_read.is_set()

    @override
    def pause_reading(self) -> None:
        self._may_read.clear()

    @override
    def resume_reading(self) -> None:
        self._may_read.set()

    @override
    def get_write_buffer_size(self) -> int:
        return len(self._out)

    @override
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    @override
    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol
