"""From a model to the bytes that make any terminal show the same, and go on from there. Pure.

Rows are placed one by one and nothing relies on wrapping, so that a terminal that takes some
characters for wider or narrower than we do is off by those characters only.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from agent.pty.cells import BESIDE, Cursor, Gone, Line, Style
from agent.pty.model import DEFAULT_ON, Grid, Model

_RESET: Final = "\x1bc"
_ORIGIN: Final = 6


def redraw(model: Model) -> bytes:
    """Return what a terminal just switched on needs to be as ``model`` is."""
    parts = [_RESET, *_history(model), *_grid(model.main)]
    if model.alternate is not None:
        # Leaving the second screen brings the first one's cursor back from where it is kept.
        parts += [*_saved(model, model.main), f"\x1b[?{model.alternate_by}h", "\x1b[0m"]
        parts += ["\x1b(B\x1b)B\x0f", "\x1b[H\x1b[2J", *_grid(model.alternate)]
    parts += [*_settings(model), *_saved(model, model.grid)]
    parts += [*_cursor(model, model.grid, model.cursor), *_late_settings(model)]
    return "".join(parts).encode(errors="replace")


def _history(model: Model) -> Iterator[str]:
    if not model.history:
        return
    for row, after in pairwise((*model.history, Gone("", (), wrapped=False))):
        yield _gone(row)
        # Only a character makes the terminal go on in the next row by itself.
        if not (row.wrapped and after.text):
            yield "\r\n"
    # All of it has to leave the screen before that is drawn.
    yield "\x1b[0m" + "\n" * (model.rows - 1)


def _gone(row: Gone) -> str:
    if not row.styles:
        return row.text
    ends = [at for at, _ in row.styles[1:]] + [len(row.text)]
    pieces = [
        style.sgr() + row.text[at:end] for (at, style), end in zip(row.styles, ends, strict=True)
    ]
    return "".join(pieces) + "\x1b[0m"


def _grid(grid: Grid) -> Iterator[str]:
    for number, line in enumerate(grid.lines):
        end = line.end()
        if end:
            yield f"\x1b[{number + 1};1H"
            yield from _line(line, end)
    yield "\x1b[0m"


def _line(line: Line, end: int) -> Iterator[str]:
    style: Style | None = None
    strayed = False
    for at in range(end):
        char = line.text[at]
        if char == BESIDE:
            continue
        if strayed and char.isascii():
            yield f"\x1b[{at + 1}G"
            strayed = False
        if line.styles[at] != style:
            style = line.styles[at]
            yield style.sgr()
        yield char
        strayed = strayed or not char.isascii()


def _saved(model: Model, grid: Grid) -> Iterator[str]:
    if grid.saved is not None:
        yield from _cursor(model, grid, grid.saved)
        yield "\x1b7"


def _cursor(model: Model, grid: Grid, at: Cursor) -> Iterator[str]:
    """Bring the cursor to ``at``, with all that belongs to it."""
    yield "\x1b[?6h" if at.origin else "\x1b[?6l"
    row = at.y - (model.top if at.origin else 0)
    x = min(at.x, model.columns - 1)
    if at.x >= model.columns and at.y < model.rows:
        # The row is full, and only writing its last character again says so.
        line = grid.lines[at.y]
        if line.text[x] == BESIDE:
            x -= 1
        yield f"\x1b[{row + 1};{x + 1}H\x1b(B\x0f{line.styles[x].sgr()}{line.text[x]}"
    else:
        yield f"\x1b[{row + 1};{x + 1}H"
    yield at.style.sgr()
    first, second = at.charsets
    yield f"\x1b({first}\x1b){second}{chr(14) if at.shifted else chr(15)}"


def _settings(model: Model) -> Iterator[str]:
    """Yield what must stand before the cursor is placed, for it moves the cursor."""
    if (model.top, model.bottom) != (0, model.rows - 1):
        yield f"\x1b[?6l\x1b[{model.top + 1};{model.bottom + 1}r"
    if model.tabs != set(range(8, model.columns, 8)):
        yield "\x1b[3g"
        for tab in sorted(model.tabs):
            yield f"\x1b[{tab + 1}G\x1bH"


def _late_settings(model: Model) -> Iterator[str]:
    """Yield what must stand after everything was written, for it changes what writing does."""
    for mode in sorted(model.modes ^ DEFAULT_ON):
        if mode != _ORIGIN:
            yield f"\x1b[?{mode}{'h' if mode in model.modes else 'l'}"
    if model.inserting:
        yield "\x1b[4h"
    if model.newline:
        yield "\x1b[20h"
    if model.keypad:
        yield "\x1b="
    if model.shape:
        yield f"\x1b[{model.shape} q"
    if model.other_keys:
        yield f"\x1b[>{model.other_keys}m"
    if model.title:
        yield f"\x1b]2;{model.title}\x1b\\"
