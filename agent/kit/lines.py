"""Bytes of a process's output to lines of a log. Pure."""

LONGEST = 64 * 1024
"""A line longer than this is cut: no log needs it, and memory must stay bounded."""


class LineSplitter:
    """Collect bytes, hand out whole lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that ``data`` completes, without their ends."""
        *lines, rest = (self._rest + data).split(b"\n")
        while len(rest) > LONGEST:
            lines.append(rest[:LONGEST])
            rest = rest[LONGEST:]
        self._rest = rest
        return [_text(piece) for line in lines for piece in _cut(line)]

    def flush(self) -> list[str]:
        """Return the last line if the output did not end with a line end."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _cut(line: bytes) -> list[bytes]:
    return [line[at : at + LONGEST] for at in range(0, len(line), LONGEST)] or [b""]


def _text(line: bytes) -> str:
    # PostgreSQL stores no NUL in a text; the cross mark stands for it, as upstream does.
    return line.removesuffix(b"\r").decode(errors="replace").replace("\0", "❌")
