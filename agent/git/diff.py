"""Unified diffs within limits: what is too large is told instead of shown. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

LARGEST_FILE: Final = 2 * 1024 * 1024
LARGEST_DIFF: Final = 256 * 1024
LARGEST_TOTAL: Final = 3 * 1024 * 1024
_BEGINNING: Final = 64 * 1024
"""What is kept of a diff that is too large: two names of any length fit."""
_HEADER: Final = b"diff --git "
_BOUNDARY: Final = b"\ndiff --git "
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_ESCAPES: Final = {7: b"a", 8: b"b", 9: b"t", 10: b"n", 11: b"v", 12: b"f", 13: b"r"}
_ODD: Final = re.compile(rb'[\x00-\x1f\x7f"\\]')
_ESCAPED: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def human(size: int) -> str:
    """Return ``size`` bytes for people: ``3.0 MiB``."""
    if size < 1024:
        return f"{size} B"
    amount = size / 1024
    units = iter(_UNITS)
    unit = next(units)
    while amount >= 1023.95:
        amount, unit = amount / 1024, next(units)
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


@dataclass(slots=True)
class Patch:
    """A diff that is put together. Holds no more than may be shown."""

    size: int = 0
    """What all files would take together."""
    _shown: list[bytes] = field(default_factory=list[bytes])

    @property
    def too_large(self) -> bool:
        """Say whether nothing of it will be shown."""
        return self.size > LARGEST_TOTAL

    def add(self, diff: bytes) -> None:
        """Add the diff of one file."""
        self.skip(len(diff))
        if not self.too_large:
            self._shown.append(diff)

    def skip(self, size: int) -> None:
        """Count a diff that is not looked at."""
        self.size += size
        if self.too_large:
            self._shown.clear()

    def text(self) -> str:
        """Return what is shown."""
        if self.too_large:
            return total_too_large(self.size)
        return b"".join(self._shown).decode(errors="replace")


@dataclass(slots=True)
class FileDiff:
    """What git says of one file; its beginning is always there, the rest if it is small."""

    size: int = 0
    content: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> None:
        """Add ``data``, or only count it."""
        self.size += len(data)
        if self.size <= LARGEST_DIFF:
            self.content += data
        elif len(self.content) < _BEGINNING:
            self.content += data[:_BEGINNING]
        else:
            del self.content[_BEGINNING:]

    @property
    def binary(self) -> bool:
        """Say whether git took it for binary, as it takes what is very large."""
        return self.size < _BEGINNING and b"\nBinary files " in self.content

    @property
    def name(self) -> bytes | None:
        """Return the file's path; None when this is not the diff of a file."""
        line = bytes(self.content.partition(b"\n")[0])
        if not line.startswith(_HEADER):
            return None
        # Without renames both names are the same, but for the first letter.
        both = line[len(_HEADER) :]
        half = both[: len(both) // 2]
        if half.startswith(b'"'):
            return _ESCAPED.sub(_unescape, half[1:-1])[2:]
        return half[2:]

    def shown(self) -> bytes:
        """Return the diff, or that it is too large."""
        if self.size <= LARGEST_DIFF:
            return bytes(self.content)
        return stub(self.name or b"", f"File diff too large to show. Diff size: {human(self.size)}")


class Splitter:
    """Cuts what ``git diff`` prints into files, however it arrives."""

    def __init__(self, done: Callable[[FileDiff], None]) -> None:
        self._done = done
        self._file = FileDiff()
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        data = self._tail + data
        start = 0
        # Within a file every line begins with a sign, so this is always the next file's header.
        while (at := data.find(_BOUNDARY, start)) >= 0:
            self._file.take(data[start : at + 1])
            self._next()
            start = at + 1
        keep = min(len(data) - start, len(_BOUNDARY) - 1)
        self._file.take(data[start : len(data) - keep])
        self._tail = data[len(data) - keep :]

    def end(self) -> None:
        """There is no next piece."""
        self._file.take(self._tail)
        self._next()

    def _next(self) -> None:
        if self._file.size:
            self._done(self._file)
        self._file = FileDiff()


def _unescape(found: re.Match[bytes]) -> bytes:
    word = found[1]
    if len(word) == 3:
        return bytes([int(word, 8) & 255])
    for code, letter in _ESCAPES.items():
        if letter == word:
            return bytes([code])
    return word


def file_too_large(name: bytes, size: int, *, new: bool = False) -> bytes:
    """Return what stands for the diff of a file of ``size`` bytes."""
    return stub(name, f"File too large to diff. Current size: {human(size)}", new=new)


def total_too_large(size: int) -> str:
    """Return what stands for the diff of a whole repository."""
    return f"Total diff too large to show. Size: {human(size)}. Showing branch and remote only."


def stub(name: bytes, words: str, *, new: bool = False) -> bytes:
    """Return a diff, valid for whoever shows it, that says ``words`` instead."""
    return header(name, b"100644" if new else None) + b"@@ -0,0 +1 @@\n+" + words.encode() + b"\n"


def addition(name: bytes, mode: bytes, content: bytes) -> bytes:
    """Return the diff of a file that git does not know yet, as git would print it."""
    if b"\0" in content[:8000]:
        top = header(name, mode, bare=True)
        return top + b"Binary files /dev/null and " + quoted(b"b/" + name) + b" differ\n"
    if not content:
        return header(name, mode, bare=True)
    whole = content.endswith(b"\n")
    lines = content.count(b"\n") + (not whole)
    body = b"+" + (content[:-1] if whole else content).replace(b"\n", b"\n+") + b"\n"
    count = b"+1" if lines == 1 else b"+1,%d" % lines
    end = b"" if whole else b"\\ No newline at end of file\n"
    diff = header(name, mode) + b"@@ -0,0 " + count + b" @@\n" + body + end
    if len(diff) > LARGEST_DIFF:
        words = f"File diff too large to show. Diff size: {human(len(diff))}"
        return stub(name, words, new=True)
    return diff


def header(name: bytes, mode: bytes | None, *, bare: bool = False) -> bytes:
    """Return the lines above a diff's content; ``mode`` is that of a new file."""
    old, new = quoted(b"a/" + name), quoted(b"b/" + name)
    top = _HEADER + old + b" " + new + b"\n"
    if mode is not None:
        top += b"new file mode " + mode + b"\n"
    if bare:
        return top
    # A name with a blank would look as if a date followed it.
    after = b"\t" if b" " in name and not new.startswith(b'"') else b""
    before = b"/dev/null" if mode is not None else old + after
    return top + b"--- " + before + b"\n+++ " + new + after + b"\n"


def quoted(name: bytes) -> bytes:
    """Return ``name`` as git writes it: in quotes when it has odd characters."""
    if not _ODD.search(name):
        return name
    return b'"' + _ODD.sub(_escape, name) + b'"'


def _escape(found: re.Match[bytes]) -> bytes:
    code = found[0][0]
    if found[0] in b'"\\':
        return b"\\" + found[0]
    return b"\\" + _ESCAPES.get(code, b"%03o" % code)
