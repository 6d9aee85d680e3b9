"""A VNC server for tests: one screen of one colour, and a record of what it was told."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

LENGTHS = {0: 20, 3: 10, 4: 8, 5: 6}


@dataclass
class RfbServer:
    """Speaks RFB 3.8. ``says`` is sent before each picture."""

    width: int = 40
    height: int = 20
    colour: bytes = b"\x10\x20\x30\x00"
    kinds: bytes = b"\x01"
    says: bytes = b""
    told: list[tuple[Any, ...]] = field(default_factory=list[Any])
    port: int = 0

    def __post_init__(self) -> None:
        self._writers: list[asyncio.StreamWriter] = []

    def hang_up(self) -> None:
        """Leave every viewer."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one viewer until it goes."""
        self._writers.append(writer)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"RFB 003.008\n")
        assert await reader.readexactly(12) == b"RFB 003.008\n"
        writer.write(bytes([len(self.kinds)]) + self.kinds)
        await reader.readexactly(1)
        writer.write(bytes(4))
        await reader.readexactly(1)
        writer.write(struct.pack(">HH16xI", self.width, self.height, 4) + b"test")
        while True:
            kind = (await reader.readexactly(1))[0]
            if kind == 2:
                (count,) = struct.unpack(">xH", await reader.readexactly(3))
                await reader.readexactly(4 * count)
                continue
            body = await reader.readexactly(LENGTHS[kind] - 1)
            match kind:
                case 3:
                    writer.write(self.says + self._picture())
                case 4:
                    down, key = struct.unpack(">B2xI", body)
                    self.told.append(("key", key, bool(down)))
                case 5:
                    self.told.append(("pointer", *struct.unpack(">BHH", body)))
                case _:
                    pass

    def _picture(self) -> bytes:
        """Return the whole screen, in two halves."""
        half = self.height // 2
        rectangles = ((0, half), (half, self.height - half))
        return struct.pack(">BxH", 0, 2) + b"".join(
            struct.pack(">HHHHi", 0, y, self.width, height, 0) + self.colour * self.width * height
            for y, height in rectangles
        )


@asynccontextmanager
async def listening(server: RfbServer) -> AsyncGenerator[RfbServer]:
    """Listen on a port of loopback."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
