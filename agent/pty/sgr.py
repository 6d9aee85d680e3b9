"""SGR (``CSI … m``): from the parameters of a program to the style of what it writes. Pure."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from agent.pty.cells import PLAIN, Style

_ON: Final = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "53"}
_OFF: Final = {
    "22": {"1", "2"},
    "23": {"3"},
    "24": {"4", "21"},
    "25": {"5", "6"},
    "27": {"7"},
    "28": {"8"},
    "29": {"9"},
    "55": {"53"},
}
_EXTENDED: Final = {"38": "foreground", "48": "background", "58": "underline_color"}
_DEFAULTS: Final = {"39": "foreground", "49": "background", "59": "underline_color"}
_COMPONENTS: Final = {"5": 1, "2": 3}
_FOREGROUNDS: Final = frozenset(str(n) for n in (*range(30, 38), *range(90, 98)))
_BACKGROUNDS: Final = frozenset(str(n) for n in (*range(40, 48), *range(100, 108)))


@lru_cache(maxsize=4096)
def restyle(style: Style, parameters: str) -> Style:
    """Return ``style`` after ``CSI parameters m``."""
    words = iter(parameters.split(";"))
    for word in words:
        number = word.lstrip("0") or "0"
        if number == "0":
            style = PLAIN
        elif number in _EXTENDED:
            color = _color(number, words)
            if color:
                style = style._replace(**{_EXTENDED[number]: color})
        elif number in _DEFAULTS:
            style = style._replace(**{_DEFAULTS[number]: ""})
        else:
            style = _simple(style, number)
    # One object for the commonest style: comparing by identity is enough then.
    return PLAIN if style == PLAIN else style


def _simple(style: Style, number: str) -> Style:
    if number in _FOREGROUNDS:
        return style._replace(foreground=number)
    if number in _BACKGROUNDS:
        return style._replace(background=number)
    head, colon, kind = number.partition(":")
    effects = set(style.effects)
    if number in _OFF:
        effects -= _OFF[number]
        effects = {each for each in effects if not (number == "24" and each.startswith("4:"))}
    elif number in _ON:
        effects.add(number)
    elif colon and head == "4" and kind in ("1", "2", "3", "4", "5"):
        effects = {each for each in effects if not each.startswith("4")} | {number}
    elif number == "4:0":
        effects = {each for each in effects if not each.startswith("4")}
    elif (
        colon and head in _EXTENDED and all(part.isdigit() or not part for part in kind.split(":"))
    ):
        return style._replace(**{_EXTENDED[head]: number[:32]})
    return style._replace(effects=tuple(sorted(effects)))


def _color(number: str, words: Iterator[str]) -> str:
    kind = next(words, "").lstrip("0")
    parts = [next(words, "") or "0" for _ in range(_COMPONENTS.get(kind, 0))]
    if not parts or not all(part.isdigit() and int(part) < 256 for part in parts):
        return ""
    return ";".join((number, kind, *parts))
