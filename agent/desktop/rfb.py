"""A client of a VNC server: looks at the screen, presses keys, moves the pointer.

As much of RFB 3.8 (RFC 6143) as that takes: no password, raw pixels.
"""

import asyncio
import struct
from typing import Final

from agent.desktop.picture import Picture

LARGEST_SCREEN: Final = 16 * 1024 * 1024
"""In pixels: 64 MiB while a screenshot is taken."""
_VERSION: Final = b"RFB 003.008\n"
_NO_PASSWORD: Final = 1
_RAW: Final = 0
_DESKTOP_SIZE: Final = -223
_LONGEST_TEXT: Final = 16 * 1024 * 1024
_PIXELS: Final = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)


class NotRfb(Exception):
    """The server says what we do not understand, or hung up; the message is a sentence."""


class Screen:
    """A connection to a screen. One task may use it at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.width = 0
        self.height = 0
        self.pointer = (0, 0)
        """Where we put the pointer last."""
        self._buttons = 0

    @classmethod
    async def greet(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> "Screen":
        """Begin to speak on a new connection.

        Raises:
            NotRfb: this is no screen that we may use.
        """
        screen = cls(reader, writer)
        try:
            await screen._greet()
        except (asyncio.IncompleteReadError, OSError) as error:
            raise NotRfb("The desktop's VNC server hung up.") from error
        return screen

    @property
    def gone(self) -> bool:
        """Say whether the server has hung up."""
        return self._reader.at_eof() or self._reader.exception() is not None

    async def picture(self) -> Picture:
        """Return what is on the screen now.

        Raises:
            NotRfb: the server does not tell.
        """
        self._require_size()
        area = struct.pack(">HHHH", 0, 0, self.width, self.height)
        self._writer.write(b"\3\0" + area)
        missing = self.width * self.height
        pixels = bytearray(missing * 4)
        try:
            while missing > 0:
                kind = (await self._reader.readexactly(1))[0]
                if kind == 0:
                    missing -= await self._update(pixels)
                else:
                    await self._skip(kind)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise NotRfb("The desktop's VNC server hung up.") from error
        return Picture(self.width, self.height, bytes(pixels))

    async def key(self, number: int, *, down: bool) -> None:
        """Press a key, or let it go."""
        await self._send(struct.pack(">BBHI", 4, down, 0, number))

    async def move(self, x: int, y: int) -> None:
        """Move the pointer; it stays on the screen."""
        self.pointer = (min(max(x, 0), self.width - 1), min(max(y, 0), self.height - 1))
        await self._point()

    async def button(self, number: int, *, down: bool) -> None:
        """Press a button of the mouse, or let it go: 1 to 3 left to right, 4 to 7 are scrolling."""
        bit = 1 << (number - 1)
        self._buttons = self._buttons | bit if down else self._buttons & ~bit
        await self._point()

    def close(self) -> None:
        """Leave; the server lets go of what we hold."""
        self._writer.close()

    async def _point(self) -> None:
        await self._send(struct.pack(">BBHH", 5, self._buttons, *self.pointer))

    async def _send(self, message: bytes) -> None:
        try:
            self._writer.write(message)
            await self._writer.drain()
        except OSError as error:
            raise NotRfb("The desktop's VNC server hung up.") from error

    async def _greet(self) -> None:
        if not (await self._reader.readexactly(12)).startswith(b"RFB 003."):
            raise NotRfb("What the desktop shows itself by is no VNC server.")
        self._writer.write(_VERSION)
        count = (await self._reader.readexactly(1))[0]
        kinds = await self._reader.readexactly(count)
        if _NO_PASSWORD not in kinds:
            raise NotRfb("The desktop's VNC server wants a password.")
        self._writer.write(bytes([_NO_PASSWORD]))
        if await self._reader.readexactly(4) != bytes(4):
            raise NotRfb("The desktop's VNC server refuses us.")
        self._writer.write(b"\1")  # Others may watch.
        self.width, self.height = struct.unpack(">HH", await self._reader.readexactly(4))
        await self._reader.readexactly(16)
        await self._text()
        self._require_size()
        self.pointer = (self.width // 2, self.height // 2)
        self._writer.write(b"\0\0\0\0" + _PIXELS)
        self._writer.write(struct.pack(">BBHii", 2, 0, 2, _RAW, _DESKTOP_SIZE))

    async def _update(self, pixels: bytearray) -> int:
        """Take one update into ``pixels``; return how many it brought."""
        (count,) = struct.unpack(">xH", await self._reader.readexactly(3))
        brought = 0
        for _ in range(count):
            head = await self._reader.readexactly(12)
            x, y, width, height, encoding = struct.unpack(">HHHHi", head)
            if encoding == _DESKTOP_SIZE:
                self.width, self.height = width, height
                self._require_size()
                raise NotRfb("The desktop changed its size just now; ask again.")
            if encoding != _RAW or x + width > self.width or y + height > self.height:
                raise NotRfb("The desktop's VNC server sends what nobody asked for.")
            for row in range(y, y + height):
                at = (row * self.width + x) * 4
                pixels[at : at + width * 4] = await self._reader.readexactly(width * 4)
            brought += width * height
        return brought

    async def _skip(self, kind: int) -> None:
        match kind:
            case 1:  # Colours, which we did not ask for.
                (count,) = struct.unpack(">3xH", await self._reader.readexactly(5))
                await self._reader.readexactly(count * 6)
            case 2:  # A bell.
                return
            case 3:  # Somebody copied a text.
                await self._reader.readexactly(3)
                await self._text()
            case _:
                raise NotRfb(f"The desktop's VNC server says {kind}, which nobody understands.")

    async def _text(self) -> None:
        (length,) = struct.unpack(">I", await self._reader.readexactly(4))
        if length > _LONGEST_TEXT:
            raise NotRfb("The desktop's VNC server says too much.")
        while length > 0:
            length -= len(await self._reader.readexactly(min(length, 65536)))

    def _require_size(self) -> None:
        if not 0 < self.width * self.height <= LARGEST_SCREEN:
            raise NotRfb(f"The desktop's screen has {self.width} by {self.height} pixels.")
