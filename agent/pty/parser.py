"""From the bytes a program writes to what they do to the screen. Pure.

A chunk may end anywhere, also inside a character or a sequence: what is not whole is kept for the
next one. What no screen shows (sounds, questions, images) is passed over.
"""

import codecs
import re
from collections.abc import Callable, Mapping
from typing import Final

from agent.pty.cells import Cursor
from agent.pty.model import HISTORY, WRAP, Model
from agent.pty.sgr import restyle

_LONGEST_STRING: Final = 4096
"""Of an operating system command that is looked at; longer ones are images or attacks."""
_LARGEST: Final = 9999
_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
    r"|\x1b\[(?P<mark>[<-?]?)(?P<parameters>[0-9:;]*)(?P<between>[ -/]*)(?P<csi>[@-~])"
    r"|\x1b\](?P<osc>[^\x07\x1b\x18\x1a]*)(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b\x18\x1a]*\x1b\\"
    r"|(?P<unfinished>\x1b(?:\][^\x07\x18\x1a\x1b]*\x1b?|[PX^_][^\x18\x1a\x1b]*\x1b?"
    r"|\[[0-?]*[ -/]*|[ -/]*)\Z)"
    r"|\x1b\][^\x07\x1b\x18\x1a]*(?:[\x18\x1a]|(?=\x1b))"
    r"|\x1b[PX^_][^\x1b\x18\x1a]*(?:[\x18\x1a]|(?=\x1b))"
    r"|\x1b(?P<first>[ -/]?)(?P<escape>[0-~])"
    r"|\x1b"
)
_SGR: Final = re.compile(r"\x1b\[([0-9:;]{0,256})m")
_STRING_END: Final = re.compile(r"\x07|\x1b\\|[\x18\x1a]")
_KEPT_MODES: Final = frozenset(
    {1, 5, 6, 7, 12, 25, 45, 66, 9, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004}
)
_ALTERNATES: Final = frozenset({47, 1047, 1049})


class Parser:
    """Feeds one model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._in_string = False
        """Inside a sequence too long to be kept; its end is all that counts."""

    @property
    def rest(self) -> bytes:
        """Return the beginning of what is not whole yet, for a client that takes it from here."""
        cut: bytes = self._decoder.getstate()[0]
        inside = "\x1b]" if self._in_string else ""
        return (inside + self._rest).encode() + cut

    def feed(self, data: bytes) -> None:
        """Do what ``data`` says."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        if self._in_string:
            end = _STRING_END.search(text)
            if end is None:
                self._rest = "\x1b" if text.endswith("\x1b") else ""
                return
            self._in_string = False
            text = text[end.end() :]
        text = self._skip(text)
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup
            if kind == "text":
                self.model.draw(found[0])
            elif kind == "control":
                self._control(found[0])
            elif kind == "csi":
                self._csi(found)
            elif kind is not None:
                self._other(kind, found)

    def _skip(self, text: str) -> str:
        """Leave out what lines would only have scrolled away: floods cost little then."""
        model = self.model
        keep = HISTORY + model.rows
        if text.count("\n") <= keep * 2 or "\x0e" in text or "\x0f" in text:
            return text
        if model.top != 0 or model.bottom != model.rows - 1:
            return text
        if text.count("\x1b") != sum(1 for _ in _SGR.finditer(text)):
            return text
        at = len(text)
        for _ in range(keep + 1):
            at = text.rfind("\n", 0, at)
        if text[at - 1 : at] != "\r":
            return text
        # Of all that is left out, only the style goes on.
        for found in _SGR.finditer(text, max(text.rfind("\x1b[0m", 0, at), 0), at):
            model.cursor.style = restyle(model.cursor.style, found[1])
        model.cursor.x, model.cursor.y = 0, model.rows - 1
        return text[at + 1 :]

    def _other(self, kind: str, found: "re.Match[str]") -> None:
        if kind == "osc":
            self._command(found["osc"])
        elif kind == "escape":
            self._escape(found["first"], found["escape"])
        elif kind == "unfinished":
            self._rest = found[0]
            if len(self._rest) > _LONGEST_STRING:
                self._in_string = True
                self._rest = "\x1b" if self._rest.endswith("\x1b") else ""

    # --- single characters ----------------------------------------------------------------

    def _control(self, char: str) -> None:
        model = self.model
        match char:
            case "\r":
                model.cursor.x = 0
            case "\n" | "\v" | "\f" | "\x84":
                model.line_feed()
            case "\b":
                model.move(columns=-1)
            case "\t":
                model.tab()
            case "\x0e":
                model.cursor.shifted = 1
            case "\x0f":
                model.cursor.shifted = 0
            case _:
                """Sounds, padding, and what nobody sends."""

    def _escape(self, first: str, final: str) -> None:
        model = self.model
        if first in ("(", ")"):
            model.cursor.charsets[first == ")"] = final
        elif first == "#" and final == "8":
            model.align()
        elif not first and final in _ESCAPES:
            _ESCAPES[final](model)

    def _command(self, text: str) -> None:
        """Do what an operating system command says: the title is all that a client gets again."""
        number, _, value = text.partition(";")
        if number in ("0", "2"):
            self.model.title = "".join(filter(str.isprintable, value[:256]))

    # --- control sequences ----------------------------------------------------------------

    def _csi(self, found: "re.Match[str]") -> None:
        model, final = self.model, found["csi"]
        mark, between, words = found["mark"], found["between"], found["parameters"]
        if mark == "?" and final in "hl" and not between:
            for number in _numbers(words):
                self._private_mode(number, on=final == "h")
        elif mark == ">" and final == "m":
            model.other_keys = words[:8]
        elif between == " " and final == "q":
            model.shape = words[:2]
        elif between == "!" and final == "p":
            _soft_reset(model)
        elif mark or between:
            return
        elif final == "m":
            model.cursor.style = restyle(model.cursor.style, words[:256])
        elif final in _SEQUENCES:
            _SEQUENCES[final](model, _numbers(words))

    def _private_mode(self, mode: int, *, on: bool) -> None:
        model = self.model
        if mode in _ALTERNATES:
            if on:
                model.show_alternate(mode)
            else:
                model.show_main(mode)
        elif mode == 1048:
            if on:
                model.save()
            else:
                model.restore()
        elif mode in _KEPT_MODES:
            (model.modes.add if on else model.modes.discard)(mode)
            if mode == 6:
                model.cursor.origin = on
                model.go(0, 0)
            elif mode == WRAP and not on:
                model.cursor.x = min(model.cursor.x, model.columns - 1)


def _numbers(words: str) -> list[int]:
    parts = words.replace(":", ";").split(";")[:32]
    return [min(int(part[:9]), _LARGEST) if part else 0 for part in parts]


def _count(numbers: list[int]) -> int:
    return numbers[0] or 1


def _at(numbers: list[int], index: int) -> int:
    """Return a coordinate, which the wire counts from 1."""
    given = numbers[index] if index < len(numbers) else 0
    return (given or 1) - 1


def _soft_reset(model: Model) -> None:
    model.cursor = Cursor(model.cursor.x, model.cursor.y)
    model.modes = (model.modes - {1, 6}) | {7, 25}
    model.inserting = model.newline = model.keypad = False
    model.top, model.bottom = 0, model.rows - 1
    model.grid.saved = None


def _full_reset(model: Model) -> None:
    model.title = ""
    model.history.clear()
    model.reset()


def _ansi_mode(model: Model, numbers: list[int], *, on: bool) -> None:
    if 4 in numbers:
        model.inserting = on
    if 20 in numbers:
        model.newline = on


def _place(model: Model, numbers: list[int]) -> None:
    model.go(_at(numbers, 1), _at(numbers, 0))


def _margins(model: Model, numbers: list[int]) -> None:
    bottom = numbers[1] if len(numbers) > 1 else 0
    model.margins(_at(numbers, 0), (bottom or model.rows) - 1)


def _next_line(model: Model, rows: int) -> None:
    model.move(rows=rows)
    model.go(0)


def _clear_tabs(model: Model, numbers: list[int]) -> None:
    if numbers[0] == 3:
        model.tabs.clear()
    elif numbers[0] == 0:
        model.tabs.discard(model.cursor.x)


def _new_line(model: Model) -> None:
    model.cursor.x = 0
    model.index()


def _keypad(model: Model, *, on: bool) -> None:
    model.keypad = on


_ESCAPES: Final[Mapping[str, Callable[[Model], object]]] = {
    "7": Model.save,
    "8": Model.restore,
    "D": Model.index,
    "E": _new_line,
    "M": Model.reverse_index,
    "H": lambda model: model.tabs.add(model.cursor.x),
    "c": _full_reset,
    "=": lambda model: _keypad(model, on=True),
    ">": lambda model: _keypad(model, on=False),
}
_SEQUENCES: Final[Mapping[str, Callable[[Model, list[int]], object]]] = {
    "@": lambda model, n: model.insert_chars(_count(n)),
    "A": lambda model, n: model.move(rows=-_count(n)),
    "B": lambda model, n: model.move(rows=_count(n)),
    "C": lambda model, n: model.move(columns=_count(n)),
    "D": lambda model, n: model.move(columns=-_count(n)),
    "E": lambda model, n: _next_line(model, _count(n)),
    "F": lambda model, n: _next_line(model, -_count(n)),
    "G": lambda model, n: model.go(_at(n, 0)),
    "H": _place,
    "I": lambda model, n: model.tab(_count(n)),
    "J": lambda model, n: model.erase_display(n[0]),
    "K": lambda model, n: model.erase_line(n[0]),
    "L": lambda model, n: model.insert_lines(_count(n)),
    "M": lambda model, n: model.delete_lines(_count(n)),
    "P": lambda model, n: model.delete_chars(_count(n)),
    "S": lambda model, n: model.scroll_up(_count(n)),
    "T": lambda model, n: model.scroll_down(_count(n)),
    "X": lambda model, n: model.erase_chars(_count(n)),
    "Z": lambda model, n: model.tab(-_count(n)),
    "`": lambda model, n: model.go(_at(n, 0)),
    "a": lambda model, n: model.move(columns=_count(n)),
    "b": lambda model, n: model.repeat(_count(n)),
    "d": lambda model, n: model.go(row=_at(n, 0)),
    "e": lambda model, n: model.move(rows=_count(n)),
    "f": _place,
    "g": _clear_tabs,
    "h": lambda model, n: _ansi_mode(model, n, on=True),
    "l": lambda model, n: _ansi_mode(model, n, on=False),
    "r": _margins,
    "s": lambda model, _: model.save(),
    "u": lambda model, _: model.restore(),
}
