"""The screen of a terminal as a program draws it: what a client that comes back must see. Pure.

Rows and columns count from 0. Where terminals differ, this does as xterm.js, the terminal of
browsers, does. Source: ECMA-48, and xterm's "Control Sequences".
"""

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from agent.pty.cells import BLANK, PLAIN, Cursor, Gone, Line, Style, gone, width_of

HISTORY: Final = 1000
"""Rows that have left the screen and are given to a client that comes back."""
_GRAPHICS: Final = str.maketrans(
    "`abcdefghijklmnopqrstuvwxyz{|}~_",
    "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·\u00a0",
)
_POUND: Final = str.maketrans("#", "£")
Change: TypeAlias = Callable[[Line, int, int, Style], None]
_MAPS: Final = {"0": _GRAPHICS, "A": _POUND}
DEFAULT_ON: Final = frozenset({7, 25})
"""Private modes that a terminal begins with: wrap, and a cursor that is seen."""
WRAP: Final = 7


class Grid:
    """One of a terminal's two screens."""

    def __init__(self, columns: int, rows: int) -> None:
        self.lines = [Line.blank(columns) for _ in range(rows)]
        self.saved: Cursor | None = None
        """What ESC 7 kept."""


class Model:
    """A terminal without glass."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.history: deque[Gone] = deque(maxlen=HISTORY)
        self.title = ""
        self.reset()

    def reset(self) -> None:
        """Begin anew, as after being switched on; the history stays."""
        self.main = Grid(self.columns, self.rows)
        self.alternate: Grid | None = None
        """The second screen, while it is shown."""
        self.alternate_by = 0
        """The mode by which it is: 47, 1047 or 1049."""
        self.cursor = Cursor()
        self.top = 0
        self.bottom = self.rows - 1
        self.modes = set(DEFAULT_ON)
        """Private modes that are on (``CSI ? n h``)."""
        self.inserting = False
        self.newline = False
        """A line feed also returns."""
        self.keypad = False
        self.shape = ""
        """The cursor's, as its sequence says it."""
        self.other_keys = ""
        self.tabs = set(range(8, self.columns, 8))
        self._last = BLANK

    @property
    def grid(self) -> Grid:
        """Return the screen that is shown."""
        return self.alternate or self.main

    @property
    def line(self) -> Line:
        """Return the row with the cursor."""
        return self.grid.lines[self.cursor.y]

    @property
    def paper(self) -> Style:
        """Return the style of cells that are emptied: of the current one, the background."""
        background = self.cursor.style.background
        return Style("", background) if background else PLAIN

    # --- writing --------------------------------------------------------------------------

    def draw(self, text: str) -> None:
        """Write printable characters at the cursor."""
        charset = self.cursor.charsets[self.cursor.shifted]
        if charset in _MAPS:
            text = text.translate(_MAPS[charset])
        if text.isascii():
            self._draw_narrow(text)
        else:
            for char in text:
                self._draw_char(char)
        self._last = text[-1]

    def repeat(self, count: int) -> None:
        """Write the last character again."""
        self.draw(self._last * min(count, self.columns * self.rows))

    def _draw_narrow(self, text: str) -> None:
        cursor = self.cursor
        while text:
            room = self._make_room(1)
            part = text[:room]
            if self.inserting:
                self.line.insert(cursor.x, len(part), cursor.style)
            self.line.put(cursor.x, part, cursor.style)
            cursor.x += len(part)
            text = text[len(part) :]

    def _draw_char(self, char: str) -> None:
        width = width_of(char)
        cursor = self.cursor
        if width == 0:
            self.line.combine(cursor.x, char)
            return
        if width > self.columns:
            return
        self._make_room(width)
        if self.inserting:
            self.line.insert(cursor.x, width, cursor.style)
        if width == 1:
            self.line.put(cursor.x, char, cursor.style)
        else:
            self.line.put_wide(cursor.x, char, cursor.style)
        cursor.x += width

    def _make_room(self, width: int) -> int:
        """Wrap if fewer than ``width`` cells are left; return how many are then."""
        cursor = self.cursor
        room = self.columns - cursor.x
        if room >= width:
            return room
        if WRAP in self.modes:
            self.line.wrapped = True
            cursor.x = 0
            self.index()
            return self.columns
        cursor.x = self.columns - width
        return width

    # --- moving ---------------------------------------------------------------------------

    def index(self) -> None:
        """Go down a row; at the bottom margin, scroll."""
        if self.cursor.y == self.bottom:
            self.scroll_up(1)
        elif self.cursor.y < self.rows - 1:
            self.cursor.y += 1

    def reverse_index(self) -> None:
        """Go up a row; at the top margin, scroll."""
        if self.cursor.y == self.top:
            self.scroll_down(1)
        elif self.cursor.y > 0:
            self.cursor.y -= 1

    def line_feed(self) -> None:
        """Do what a line feed does."""
        self.index()
        if self.newline:
            self.cursor.x = 0

    def move(self, columns: int = 0, rows: int = 0) -> None:
        """Move by so many cells, not beyond the margin that is in the way."""
        cursor = self.cursor
        cursor.x = min(max(min(cursor.x, self.columns - 1) + columns, 0), self.columns - 1)
        low, high = 0, self.rows - 1
        if cursor.y >= self.top:
            low = self.top
        if cursor.y <= self.bottom:
            high = self.bottom
        cursor.y = min(max(cursor.y + rows, low), high)

    def go(self, column: int | None = None, row: int | None = None) -> None:
        """Go to a column, a row, or both."""
        cursor = self.cursor
        if column is not None:
            cursor.x = min(max(column, 0), self.columns - 1)
        if row is not None:
            low, high = (self.top, self.bottom) if cursor.origin else (0, self.rows - 1)
            cursor.y = min(max(row + (low if cursor.origin else 0), low), high)

    def tab(self, count: int = 1) -> None:
        """Go to the next tab stop, ``count`` times; to those before if it is negative."""
        stops = self.tabs | {0, self.columns - 1}
        x = min(self.cursor.x, self.columns - 1)
        for _ in range(min(abs(count), self.columns)):
            further = [stop for stop in stops if (stop > x if count > 0 else stop < x)]
            if further:
                x = min(further) if count > 0 else max(further)
        self.cursor.x = x

    def margins(self, top: int, bottom: int) -> None:
        """Let only the rows from ``top`` to ``bottom`` scroll, and go to the corner."""
        bottom = min(bottom, self.rows - 1)
        if 0 <= top < bottom:
            self.top, self.bottom = top, bottom
            self.go(0, 0)

    def save(self) -> None:
        """Keep the cursor."""
        self.grid.saved = self.cursor.copy()

    def restore(self) -> None:
        """Take back what was kept; else a new cursor."""
        self.cursor = self.grid.saved.copy() if self.grid.saved else Cursor()
        self.cursor.x = min(self.cursor.x, self.columns)
        self.cursor.y = min(self.cursor.y, self.rows - 1)

    # --- changing what is there -----------------------------------------------------------

    def scroll_up(self, count: int) -> None:
        """Move the rows between the margins up; those that leave the screen are history."""
        lines, paper = self.grid.lines, self.paper
        for _ in range(min(count, self.bottom - self.top + 1)):
            line = lines.pop(self.top)
            if self.top == 0 and self.alternate is None:
                self.history.append(gone(line))
            lines.insert(self.bottom, Line.blank(self.columns, paper))

    def scroll_down(self, count: int) -> None:
        """Move the rows between the margins down."""
        lines, paper = self.grid.lines, self.paper
        for _ in range(min(count, self.bottom - self.top + 1)):
            del lines[self.bottom]
            lines.insert(self.top, Line.blank(self.columns, paper))

    def insert_lines(self, count: int) -> None:
        """Put empty rows before the cursor's."""
        self._from_here(count, down=True)

    def delete_lines(self, count: int) -> None:
        """Take rows out from the cursor's on."""
        self._from_here(count, down=False)

    def _from_here(self, count: int, *, down: bool) -> None:
        y = self.cursor.y
        if not self.top <= y <= self.bottom:
            return
        lines, paper = self.grid.lines, self.paper
        taken, given = (self.bottom, y) if down else (y, self.bottom)
        for _ in range(min(count, self.bottom - y + 1)):
            del lines[taken]
            lines.insert(given, Line.blank(self.columns, paper))
        self.cursor.x = 0

    def insert_chars(self, count: int) -> None:
        """Put blanks before the cursor."""
        self._at_cell(count, Line.insert)

    def delete_chars(self, count: int) -> None:
        """Take characters out from the cursor on."""
        self._at_cell(count, Line.delete)

    def _at_cell(self, count: int, change: Change) -> None:
        x = self.cursor.x
        if x < self.columns:
            change(self.line, x, min(count, self.columns - x), self.paper)

    def erase_chars(self, count: int) -> None:
        """Blank characters from the cursor on."""
        x = self.cursor.x
        self.line.clear(x, min(x + count, self.columns), self.paper)

    def erase_line(self, how: int) -> None:
        """Blank the row: 0 from the cursor on, 1 up to it, 2 all of it."""
        x = self.cursor.x
        start = x if how == 0 else 0
        end = min(x + 1, self.columns) if how == 1 else self.columns
        self.line.clear(min(start, self.columns), end, self.paper)
        if how != 1:
            self.line.wrapped = False

    def erase_display(self, how: int) -> None:
        """Blank the screen: 0 from the cursor on, 1 up to it, 2 all of it, 3 the history."""
        if how == 3:
            self.history.clear()
            return
        lines, y, paper = self.grid.lines, self.cursor.y, self.paper
        if how in (0, 1):
            self.erase_line(how)
        rows = range(y + 1, self.rows) if how == 0 else range(y if how == 1 else self.rows)
        for row in rows:
            lines[row] = Line.blank(self.columns, paper)

    def align(self) -> None:
        """Fill the screen with E, as for adjusting a tube."""
        for line in self.grid.lines:
            line.clear(0, self.columns, PLAIN)
            line.put(0, "E" * self.columns, PLAIN)
        self.top, self.bottom = 0, self.rows - 1
        self.go(0, 0)

    # --- the whole ------------------------------------------------------------------------

    def show_alternate(self, mode: int) -> None:
        """Show the second screen, empty; by 1049 the first one's cursor is kept."""
        if self.alternate is None:
            if mode == 1049:
                self.save()
            self.alternate = Grid(self.columns, self.rows)
            self.alternate_by = mode

    def show_main(self, mode: int) -> None:
        """Show the first screen again."""
        if self.alternate is not None:
            self.alternate = None
            if mode == 1049:
                self.restore()

    def resize(self, columns: int, rows: int) -> None:
        """Be of another size; programs are told by their terminal and draw anew."""
        if (columns, rows) == (self.columns, self.rows):
            return
        for grid in filter(None, (self.main, self.alternate)):
            self._resize_rows(grid, rows)
            for line in grid.lines:
                line.resize(columns)
        self.tabs = {tab for tab in self.tabs if tab < columns}
        self.tabs |= set(range(8 * (self.columns // 8 + 1), columns, 8))
        self.columns, self.rows = columns, rows
        self.top, self.bottom = 0, rows - 1
        self.cursor.x = min(self.cursor.x, columns - 1)
        self.cursor.y = min(self.cursor.y, rows - 1)

    def _resize_rows(self, grid: Grid, rows: int) -> None:
        lines = grid.lines
        shown = grid is self.grid
        y = self.cursor.y if shown else (grid.saved.y if grid.saved else self.rows - 1)
        # Rows below the cursor go first: a prompt stays where it is.
        below = min(max(len(lines) - rows, 0), len(lines) - 1 - min(y, len(lines) - 1))
        if below:
            del lines[-below:]
        above = max(len(lines) - rows, 0)
        if grid is self.main:
            self.history.extend(gone(line) for line in lines[:above])
        del lines[:above]
        if shown:
            self.cursor.y -= above
        elif grid.saved:
            grid.saved.y = max(grid.saved.y - above, 0)
        lines += [Line.blank(self.columns) for _ in range(rows - len(lines))]
