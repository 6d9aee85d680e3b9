"""Keep the head and the tail of an output, in bounded memory whatever a process prints. Pure."""

import threading
from dataclasses import dataclass
from typing import Final

HEAD: Final = 16 * 1024
TAIL: Final = 16 * 1024
LONGEST_LINE: Final = 2048
CUT: Final = " ... [truncated]"
OMITTED: Final = "\n\n... [omitted {} bytes] ...\n\n"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is left of an output, as text."""

    text: str
    original: int
    """Bytes that were printed."""
    retained: int
    """Bytes of them that are in ``text``."""

    @property
    def omitted(self) -> int:
        """Return how many bytes are not in ``text``."""
        return self.original - self.retained


class HeadTail:
    """The first ``HEAD`` and the last ``TAIL`` bytes of all that is written. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._head = bytearray()
        self._tail = bytearray()
        self._at = 0
        """Where the ring begins, once it is full."""
        self._total = 0

    def write(self, data: bytes) -> None:
        """Take what was printed next."""
        with self._lock:
            self._total += len(data)
            room = HEAD - len(self._head)
            if room > 0:
                self._head += data[:room]
                data = data[room:]
            self._ring(memoryview(data)[-TAIL:])

    def read(self, *, ended: bool = True) -> Excerpt:
        """Return the excerpt; before the end, half a character waits for its other half."""
        with self._lock:
            head = bytes(self._head)
            tail = bytes(self._tail[self._at :] + self._tail[: self._at])
            total = self._total
        if total <= HEAD + TAIL:
            pieces = [head + tail]
        else:
            pieces = [head[: HEAD - _unfinished(head)], tail[_orphans(tail) :]]
        if not ended and (coming := _unfinished(pieces[-1])):
            pieces[-1] = pieces[-1][:-coming]
            total -= coming
        gap = OMITTED.format(total - sum(map(len, pieces)))
        cut = [_cut_lines(piece) for piece in pieces]
        return Excerpt(gap.join(text for text, _ in cut), total, sum(kept for _, kept in cut))

    def _ring(self, data: memoryview) -> None:
        room = TAIL - len(self._tail)
        self._tail += data[:room]
        data = data[room:]
        while data:
            piece = data[: TAIL - self._at]
            self._tail[self._at : self._at + len(piece)] = piece
            self._at = (self._at + len(piece)) % TAIL
            data = data[len(piece) :]


def _cut_lines(data: bytes) -> tuple[str, int]:
    """Return ``data`` as text with long lines cut, and how many of its bytes are there."""
    lines: list[str] = []
    kept = len(data)
    for line in data.split(b"\n"):
        if len(line) <= LONGEST_LINE:
            lines.append(line.decode(errors="replace"))
            continue
        part = line[:LONGEST_LINE]
        part = part[: len(part) - _unfinished(part)]
        kept -= len(line) - len(part)
        lines.append(part.decode(errors="replace") + CUT)
    return "\n".join(lines), kept


def _unfinished(data: bytes) -> int:
    """Return how many bytes at the end of ``data`` begin a character that is not whole."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            return back if back < _length(byte) else 0
    return 0


def _orphans(data: bytes) -> int:
    """Return how many bytes at the start of ``data`` end a character that began before."""
    count = 0
    while count < min(3, len(data)) and data[count] & 0xC0 == 0x80:
        count += 1
    return count


def _length(first: int) -> int:
    """Return how many bytes a character has that begins with ``first``."""
    if 0xC2 <= first <= 0xDF:
        return 2
    if 0xE0 <= first <= 0xEF:
        return 3
    return 4 if 0xF0 <= first <= 0xF4 else 1
