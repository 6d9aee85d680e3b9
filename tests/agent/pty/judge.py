"""``pyte`` as the terminal of a client, to judge what a client sees.

pyte lacks the second screen and a few sequences that programs use; they are made up for here, and
nothing is taken from the code under test.
"""

import codecs
import re
from typing import Any

import pyte
from pyte import modes
from typing_extensions import override
from wcwidth import wcwidth

_BEYOND = re.compile(
    rb"\x1b\[[>=<][0-9;]*[a-zA-Z]|\x1b\[[0-9]* q|\x1b\[![a-z]"
    rb"|\x1b\[\?[0-9;]*(?:\$p|[a-gi-km-zA-IL-Z])|\x1b[P_^X][^\x1b]*\x1b\\"
)
"""Sequences that draw nothing, and that pyte would print."""
_PART = re.compile(rb"\x1b(?:[P_^X][^\x1b]*\x1b?|\[[0-?]*[ -/]*)?\Z")
"""The beginning of a sequence whose rest comes with the next frame."""
_ALTERNATES = {47 << 5, 1047 << 5, 1049 << 5}
State = tuple[Any, ...]


class Glass(pyte.Screen):
    """What the person sees."""

    def __init__(self, columns: int, lines: int) -> None:
        self._kept: Any = None
        self._under: Any = None
        super().__init__(columns, lines)

    @override
    def reset(self) -> None:
        self._kept = self._under = None
        super().reset()

    @override
    def draw(self, data: str) -> None:
        for char in data:
            if wcwidth(char) == 2 and self.cursor.x == self.columns - 1:
                self.carriage_return()
                self.linefeed()
            # Of a wide character that is written over in part, xterm leaves nothing.
            self._part(self.cursor.x, -1)
            super().draw(char)
            self._part(self.cursor.x, 0)

    def _part(self, x: int, beside: int) -> None:
        row = self.buffer[self.cursor.y]
        if 0 < x < self.columns and not row[x].data:
            row[x + beside] = row[x + beside]._replace(data=" ")

    def _fill(self, row: int, start: int = 0, end: int | None = None) -> None:
        """Empty cells: they keep of the ink only its background, as with xterm."""
        paper = self.default_char._replace(bg=self.cursor.attrs.bg)
        for x in range(start, self.columns if end is None else end):
            self.buffer[row][x] = paper

    @override
    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        x = self.cursor.x
        self._fill(self.cursor.y, x if how == 0 else 0, x + 1 if how == 1 else None)

    @override
    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        y = self.cursor.y
        rows = {0: range(y + 1, self.lines), 1: range(y), 2: range(self.lines), 3: range(0)}[how]
        for row in rows:
            self._fill(row)
        if how < 2:
            self.erase_in_line(how)

    @override
    def erase_characters(self, count: int | None = None) -> None:
        x = self.cursor.x
        self._fill(self.cursor.y, x, min(x + (count or 1), self.columns))

    @override
    def index(self) -> None:
        bottom = self.margins.bottom if self.margins else self.lines - 1
        scrolls = self.cursor.y == bottom
        super().index()
        if scrolls:
            self._fill(bottom)

    @override
    def reverse_index(self) -> None:
        top = self.margins.top if self.margins else 0
        scrolls = self.cursor.y == top
        super().reverse_index()
        if scrolls:
            self._fill(top)

    @override
    def insert_lines(self, count: int | None = None) -> None:
        y, bottom = self.cursor.y, self.margins.bottom if self.margins else self.lines - 1
        super().insert_lines(count)
        for row in range(y, min(y + (count or 1), bottom + 1)):
            self._fill(row)

    @override
    def delete_lines(self, count: int | None = None) -> None:
        y, bottom = self.cursor.y, self.margins.bottom if self.margins else self.lines - 1
        super().delete_lines(count)
        for row in range(max(y, bottom + 1 - (count or 1)), bottom + 1):
            self._fill(row)

    @override
    def save_cursor(self) -> None:
        self.savepoints.clear()
        super().save_cursor()

    @override
    def restore_cursor(self) -> None:
        kept = list(self.savepoints)
        super().restore_cursor()
        self.savepoints[:] = kept

    @override
    def set_mode(self, *args: int, **kwargs: Any) -> None:
        private = [each << 5 for each in args] if kwargs.get("private") else []
        super().set_mode(*args, **kwargs)
        if self._under is None and _ALTERNATES & set(private):
            self.save_cursor()
            self._under = (self.buffer, self.savepoints, 1049 << 5 in private)
            self.buffer, self.savepoints = self._empty(), []

    @override
    def reset_mode(self, *args: int, **kwargs: Any) -> None:
        private = [each << 5 for each in args] if kwargs.get("private") else []
        super().reset_mode(*args, **kwargs)
        if self._under is not None and _ALTERNATES & set(private):
            self.buffer, self.savepoints, restores = self._under
            self._under = None
            if restores:
                self.restore_cursor()

    def _empty(self) -> Any:
        return pyte.Screen(self.columns, self.lines).buffer

    def state(self) -> State:
        """Return all that can be seen, and what decides how it goes on."""
        cells = [
            [_seen(self.buffer[row][column]) for column in range(self.columns)]
            for row in range(self.lines)
        ]
        cursor = (self.cursor.x, self.cursor.y, bool(self.cursor.hidden))
        margins = self.margins or (0, self.lines - 1)
        margins = (margins[0], margins[1])
        shown = self.mode & {modes.DECAWM, modes.DECOM, modes.IRM, modes.LNM, 2004 << 5, 1 << 5}
        return cells, cursor, margins, frozenset(shown), self._under is not None


def _seen(cell: Any) -> Any:
    if cell.data != " ":
        return cell
    # The ink of a blank cannot be seen, unless it is underlined or the like.
    return cell._replace(fg="default", bold=False, italics=False, blink=False)


class Judge:
    """One client's terminal."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.glass = Glass(columns, lines)
        self._stream = pyte.Stream(self.glass)
        # In its other mode pyte passes over the characters of lines and boxes.
        self._stream.use_utf8 = False
        self._rest = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> None:
        """Show what came over the line."""
        data = self._rest + data
        part = _PART.search(data)
        self._rest = part[0] if part else b""
        whole = data[: len(data) - len(self._rest)]
        self._stream.feed(self._decoder.decode(_BEYOND.sub(b"", whole)))

    def state(self) -> State:
        """Return what is seen."""
        return self.glass.state()

    @property
    def text(self) -> list[str]:
        """Return the rows as text."""
        return [row.rstrip() for row in self.glass.display]


def differences(one: State, other: State) -> list[str]:
    """Return where two screens differ, in words."""
    found = [f"{name}: {a!r} | {b!r}" for name, a, b in
             zip(("cursor", "margins", "modes", "alternate"), one[1:], other[1:], strict=True)
             if a != b]  # fmt: skip
    for row, (ours, theirs) in enumerate(zip(one[0], other[0], strict=True)):
        for column, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if a != b:
                found.append(f"{row},{column}: {a} | {b}")
    return found
