"""The raw form of a tar, checked before anything parses it.

Python's own parser is patient with hostile headers: it backtracks for hours over long records, and
nests as deep as an archive tells it to. Whatever is odd in form is refused here first. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from server.templates.errors import BadArchive

BLOCK = 512
MAX_EXTENSION = 64 * 1024
"""Bytes of one extended header: a long name, or a few facts about a file."""
MAX_EXTENSIONS = 4
"""Extended headers in a row: a name and a link target, in two notations."""

MAX_COMMON = 1024
"""Bytes of facts about all files together: each file gets a copy of them."""

_DIGITS = re.compile(rb"\d{64}")
_SIZE = slice(124, 136)
_TYPE = slice(156, 157)
_EXTENSIONS = frozenset({b"x", b"X", b"g", b"L", b"K"})
_RECORDS = frozenset({b"x", b"X", b"g"})
_COMMON = b"g"
_SPARSE = b"S"
_EMPTY = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})
"""Links, devices and directories: what their size says is not in the archive."""
_REFUSED_KEYS = ("size", "GNU.sparse.")


@dataclass(frozen=True, slots=True)
class _Header:
    kind: bytes
    data: slice


def check_form(data: bytes) -> None:
    """Refuse a tar that is broken, or not of the plain kind that programs write.

    Raises:
        BadArchive: it is.
    """
    extensions = common = 0
    for header in _headers(data):
        length = header.data.stop - header.data.start
        common += length if header.kind == _COMMON else 0
        if header.kind == _SPARSE:
            raise BadArchive("It has sparse files. Pack them whole: tar without --sparse.")
        extensions = extensions + 1 if header.kind in _EXTENSIONS else 0
        if extensions > MAX_EXTENSIONS:
            raise BadArchive("It is not a tar archive: extended headers are nested too deep.")
        if (extensions and length > MAX_EXTENSION) or common > MAX_COMMON:
            raise BadArchive("It is not a tar archive: an extended header is too long.")
        if header.kind in _RECORDS:
            _check_records(data[header.data])


def _headers(data: bytes) -> Iterator[_Header]:
    place = 0
    while place + BLOCK <= len(data):
        block = data[place : place + BLOCK]
        if not any(block):
            return
        kind = block[_TYPE]
        size = 0 if kind in _EMPTY else _number(block[_SIZE])
        start, place = place + BLOCK, place + BLOCK + -(-size // BLOCK) * BLOCK
        yield _Header(kind, slice(start, start + size))


def _number(field: bytes) -> int:
    """Return a size: octal digits, or as bytes where the first bit says so."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.partition(b"\0")[0].strip()
    if not text.isdigit() and text:
        raise BadArchive("It is not a tar archive: a size cannot be read.")
    try:
        return int(text or b"0", 8)
    except ValueError:
        raise BadArchive("It is not a tar archive: a size cannot be read.") from None


def _check_records(data: bytes) -> None:
    """Refuse what is not a length, a key and a value in each line."""
    if _DIGITS.search(data):
        raise BadArchive("It is not a tar archive: a number in an extended header is too long.")
    place = 0
    while place < len(data) and data[place]:
        length, space, _ = data[place : place + 20].partition(b" ")
        if not (space and length.isdigit() and int(length) > len(length) + 1):
            raise BadArchive("It is not a tar archive: an extended header cannot be read.")
        record = data[place + len(length) + 1 : place + int(length)]
        key, equals, _ = record.partition(b"=")
        if not (key and equals and record.endswith(b"\n")):
            raise BadArchive("It is not a tar archive: an extended header cannot be read.")
        if key.decode("utf-8", "replace").startswith(_REFUSED_KEYS):
            raise BadArchive("It has sparse or huge files. Pack them whole: tar without --sparse.")
        place += int(length)
