"""Files as bytes, and as numbered lines."""

import mimetypes
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from agent.files.opening import open_file, read_all
from agent.kit.aside import acquire, aside
from agent.network.http import Content, Refusal
from coder_cli.sdk.agentapi.files import FileLines

LARGEST_LINED: Final = 1024 * 1024
"""A larger file is not read by lines: whoever wants a part of it has ``sed`` and ``grep``."""
LONGEST_LINE: Final = 1024
MOST_LINES: Final = 2000
LARGEST_ANSWER: Final = 32 * 1024
LARGEST_UNSIZED: Final = 1024 * 1024
"""Files of ``/proc`` say that they are empty; some have no end."""
CUT: Final = " ... [truncated]"
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Which bytes of a file; no ``limit`` is all of them."""

    path: str
    offset: int = 0
    limit: int = 0


async def content_of(piece: Piece) -> Content:
    """Return bytes of a file. Raises ``Refusal``."""
    fd, found = await acquire(lambda: open_file(piece.path), lambda opened: os.close(opened[0]))
    kind = mimetypes.guess_type(piece.path)[0] or "application/octet-stream"
    if found.st_size == 0 or await aside(_is_of_proc, found):
        os.close(fd)
        whole, _ = await aside(read_all, piece.path, LARGEST_UNSIZED)
        part = whole[piece.offset :][: piece.limit or None]
        return Content(_once(part), kind, len(part))
    length = max(found.st_size - piece.offset, 0)
    length = min(length, piece.limit) if piece.limit else length
    reader = _Reader(fd, piece.path, piece.offset, length)
    return Content(reader.chunks(), kind, length)


async def lines_of(path: str, offset: int = 1, limit: int = MOST_LINES) -> FileLines:
    """Return at most ``limit`` lines from line ``offset`` on, the first being 1.

    Fewer come when they are long: an answer has 32 KiB. Raises ``Refusal``.
    """
    content, found = await aside(read_all, path, LARGEST_LINED)
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if offset > max(len(lines), 1):
        raise Refusal(400, f"offset {offset} is beyond the file, which has {len(lines)} lines")
    told: list[str] = []
    size = 0
    for number, line in enumerate(lines[offset - 1 :][: min(limit, MOST_LINES)], offset):
        text = f"{number}\t{_text(line)}"
        size += len(text.encode()) + 1
        if size > LARGEST_ANSWER:
            break
        told.append(text)
    return FileLines("\n".join(told), len(content) or found.st_size, len(lines), len(told))


def _is_of_proc(found: os.stat_result) -> bool:
    try:
        return found.st_dev == os.stat("/proc").st_dev  # noqa: PTH116 — no path is needed
    except OSError:
        return False


def _text(line: bytes) -> str:
    line = line.removesuffix(b"\r")
    if len(line) <= LONGEST_LINE:
        return line.decode(errors="replace")
    return line[:LONGEST_LINE].decode(errors="ignore") + CUT


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    if content:
        yield content


@dataclass
class _Reader:
    """Reads an open file piece by piece, and closes it in the end."""

    fd: int
    path: str
    at: int
    left: int

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield as many bytes as were promised; raises ``OSError`` if the file has shrunk."""
        while self.left:
            piece = await aside(os.pread, self.fd, min(_CHUNK, self.left), self.at)
            if not piece:
                raise OSError(f"{self.path} has shrunk while it was read")
            self.at += len(piece)
            self.left -= len(piece)
            yield piece

    def __del__(self) -> None:
        # A generator that was never begun has no end of its own.
        os.close(self.fd)
