"""What a terminal's screen consists of: styled cells in lines. Pure."""

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

BLANK: Final = " "
BESIDE: Final = ""
"""The second half of a wide character."""
_LONGEST_CELL: Final = 16
"""Code points of one cell; more combining marks than that are a joke or an attack."""


class Style(NamedTuple):
    """How a cell looks, in the words of SGR: parameters, without the ``m``."""

    foreground: str = ""
    background: str = ""
    underline_color: str = ""
    effects: tuple[str, ...] = ()
    """Bold, underline and so on, sorted; the parameters that switch them on."""

    def sgr(self) -> str:
        """Return the sequence that switches from any style to this one."""
        colors = (self.foreground, self.background, self.underline_color)
        return f"\x1b[{';'.join(['0', *self.effects, *filter(None, colors)])}m"


PLAIN: Final = Style()


@lru_cache(maxsize=4096)
def width_of(char: str) -> int:
    """Return how many columns a character takes: 0, 1 or 2."""
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


@dataclass(slots=True)
class Line:
    """One row. A wide character is in its first cell, ``BESIDE`` in the second."""

    text: list[str]
    styles: list[Style]
    wrapped: bool = False
    """The text goes on in the next row: the terminal broke it, not the program."""
    wide: bool = False
    """There may be wide characters."""

    @classmethod
    def blank(cls, columns: int, style: Style = PLAIN) -> "Line":
        """Return an empty row."""
        return cls([BLANK] * columns, [style] * columns)

    def put(self, at: int, text: str, style: Style) -> None:
        """Write characters of one column each."""
        end = at + len(text)
        if self.wide:
            self.part(at)
            self.part(end)
        self.text[at:end] = text
        self.styles[at:end] = [style] * len(text)

    def put_wide(self, at: int, char: str, style: Style) -> None:
        """Write a character of two columns."""
        if self.wide:
            self.part(at)
            self.part(at + 2)
        self.wide = True
        self.text[at : at + 2] = [char, BESIDE]
        self.styles[at : at + 2] = [style, style]

    def combine(self, at: int, mark: str) -> None:
        """Put a mark onto the character before column ``at``."""
        at -= 1
        if at > 0 and self.text[at] == BESIDE:
            at -= 1
        if at >= 0 and len(self.text[at]) < _LONGEST_CELL:
            self.text[at] += mark
            self.wide = True

    def clear(self, start: int, end: int, style: Style) -> None:
        """Empty the cells from ``start`` to before ``end``."""
        self.put(start, BLANK * (end - start), style)

    def insert(self, at: int, count: int, style: Style) -> None:
        """Make room for ``count`` cells; what leaves the row is lost."""
        columns = len(self.text)
        self.part(at)
        self.text[at:at] = [BLANK] * count
        self.styles[at:at] = [style] * count
        self.resize(columns)

    def delete(self, at: int, count: int, style: Style) -> None:
        """Take ``count`` cells out; the rest moves up, and blanks follow."""
        self.part(at)
        self.part(at + count)
        del self.text[at : at + count]
        del self.styles[at : at + count]
        self.text += [BLANK] * count
        self.styles += [style] * count

    def resize(self, columns: int) -> None:
        """Cut the row, or lengthen it with blanks."""
        self.part(columns)
        more = columns - len(self.text)
        if more > 0:
            self.text += [BLANK] * more
            self.styles += [PLAIN] * more
        else:
            del self.text[columns:]
            del self.styles[columns:]

    def part(self, at: int) -> None:
        """Blank the wide character that column ``at`` would cut in two."""
        if 0 < at < len(self.text) and self.text[at] == BESIDE:
            self.text[at - 1 : at + 1] = [BLANK, BLANK]

    def end(self) -> int:
        """Return the column after the last one that shows anything."""
        end = len(self.text)
        while end and self.text[end - 1] == BLANK and self.styles[end - 1] is PLAIN:
            end -= 1
        return end


class Gone(NamedTuple):
    """A row that has left the screen at its top, kept small."""

    text: str
    styles: tuple[tuple[int, Style], ...]
    """From which cell on which style holds; none at all for plain text."""
    wrapped: bool


def gone(line: Line) -> Gone:
    """Return the row as history."""
    end = len(line.text) if line.wrapped else line.end()
    text = line.text[:end]
    if not line.wide and line.styles.count(PLAIN) == len(line.styles):
        return Gone("".join(text), (), line.wrapped)
    runs: list[tuple[int, Style]] = []
    last: Style | None = None
    at = 0
    for cell, style in zip(text, line.styles, strict=False):
        if style is not last:
            runs.append((at, style))
            last = style
        at += len(cell)
    return Gone("".join(text), tuple(runs), line.wrapped)


@dataclass(slots=True)
class Cursor:
    """Where the next character goes, and how it will look."""

    x: int = 0
    """Equal to the number of columns when the row is full and the next character wraps."""
    y: int = 0
    style: Style = PLAIN
    charsets: list[str] = field(default_factory=lambda: ["B", "B"])
    shifted: int = 0
    origin: bool = False
    """Rows count from the top margin."""

    def copy(self) -> "Cursor":
        """Return the same, once more."""
        return Cursor(self.x, self.y, self.style, [*self.charsets], self.shifted, self.origin)
