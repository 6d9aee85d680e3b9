"""Pixels to PNG, by the standard library alone. Pure; takes a while, so run it in a thread."""

import struct
import zlib
from array import array
from dataclasses import dataclass
from operator import itemgetter

_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Picture:
    """A screen. ``pixels`` are four bytes each: blue, green, red, and one that means nothing."""

    width: int
    height: int
    pixels: bytes

    def scaled(self, width: int, height: int) -> "Picture":
        """Return it in another size, each pixel the nearest one."""
        if (width, height) == (self.width, self.height):
            return self
        words = memoryview(self.pixels).cast("I")
        columns = [x * self.width // width for x in range(width)]
        pick = itemgetter(*columns, columns[0])  # Of one column alone it would make no tuple.
        rows: list[bytes] = []
        for y in range(height):
            start = (y * self.height // height) * self.width
            row = words[start : start + self.width].tolist()
            rows.append(array("I", pick(row)[:-1]).tobytes())
        return Picture(width, height, b"".join(rows))

    def png(self) -> bytes:
        """Return it as a PNG."""
        colours = bytearray(self.width * self.height * 3)
        for place in range(3):
            colours[place::3] = self.pixels[2 - place :: 4]
        stride = self.width * 3
        # Each row says first how it is filtered: not at all.
        rows = b"".join(b"\0" + colours[at : at + stride] for at in range(0, len(colours), stride))
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = (
            _chunk(b"IHDR", head),
            _chunk(b"IDAT", zlib.compress(rows, _LEVEL)),
            _chunk(b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
