"""Pixels to PNG."""

import struct
import zlib

import pytest

from agent.desktop.picture import Picture

RED, BLUE = b"\0\0\xff\0", b"\xff\0\0\0"


def rows_of(png: bytes) -> tuple[int, int, list[bytes]]:
    """Read a PNG of ours back: width, height, and the rows of red, green and blue."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, content = 8, b""
    width = height = 0
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            content += zlib.decompress(body)
        at += 12 + length
    stride = width * 3 + 1
    return width, height, [content[y * stride + 1 : (y + 1) * stride] for y in range(height)]


def test_colours_and_places_are_right() -> None:
    picture = Picture(2, 2, RED + BLUE + BLUE + RED)
    red, blue = b"\xff\0\0", b"\0\0\xff"
    assert rows_of(picture.png()) == (2, 2, [red + blue, blue + red])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 1), (4, 4), (3, 5)])
def test_it_is_scaled(width: int, height: int) -> None:
    picture = Picture(2, 2, RED + BLUE + RED + BLUE).scaled(width, height)
    assert len(picture.pixels) == width * height * 4
    columns = [RED if x * 2 // width == 0 else BLUE for x in range(width)]
    assert picture.pixels == b"".join(columns) * height
