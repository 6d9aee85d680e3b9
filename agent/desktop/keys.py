"""Names of keys, as people and models write them, and the numbers that X gives them. Pure."""

from collections.abc import Mapping
from typing import Final

_NAMED: Final[Mapping[str, int]] = {
    "backspace": 0xFF08,
    "tab": 0xFF09,
    "return": 0xFF0D,
    "enter": 0xFF0D,
    "pause": 0xFF13,
    "scroll_lock": 0xFF14,
    "escape": 0xFF1B,
    "esc": 0xFF1B,
    "home": 0xFF50,
    "left": 0xFF51,
    "up": 0xFF52,
    "right": 0xFF53,
    "down": 0xFF54,
    "page_up": 0xFF55,
    "pageup": 0xFF55,
    "prior": 0xFF55,
    "page_down": 0xFF56,
    "pagedown": 0xFF56,
    "next": 0xFF56,
    "end": 0xFF57,
    "print": 0xFF61,
    "insert": 0xFF63,
    "menu": 0xFF67,
    "num_lock": 0xFF7F,
    "kp_enter": 0xFF8D,
    "shift": 0xFFE1,
    "shift_l": 0xFFE1,
    "shift_r": 0xFFE2,
    "ctrl": 0xFFE3,
    "control": 0xFFE3,
    "control_l": 0xFFE3,
    "control_r": 0xFFE4,
    "caps_lock": 0xFFE5,
    "meta": 0xFFE7,
    "alt": 0xFFE9,
    "alt_l": 0xFFE9,
    "alt_r": 0xFFEA,
    "super": 0xFFEB,
    "super_l": 0xFFEB,
    "cmd": 0xFFEB,
    "win": 0xFFEB,
    "delete": 0xFFFF,
    "space": 0x20,
    "plus": 0x2B,
    "minus": 0x2D,
    "comma": 0x2C,
    "period": 0x2E,
    "slash": 0x2F,
    "backslash": 0x5C,
    "semicolon": 0x3B,
    "equal": 0x3D,
}
_F1: Final = 0xFFBE
_UNICODE: Final = 0x01000000
_CONTROLS: Final[Mapping[str, int]] = {"\n": 0xFF0D, "\r": 0xFF0D, "\t": 0xFF09, "\b": 0xFF08}


class UnknownKey(ValueError):
    """No key has this name; the message says which."""


def chord(text: str) -> list[int]:
    """Return the keys of ``ctrl+shift+t``, in the order in which they are pressed.

    Raises:
        UnknownKey: there is no such key.
    """
    # "ctrl++" is the plus key with ctrl.
    names = [*text[:-1].rstrip("+").split("+"), "+"] if text.endswith("+") else text.split("+")
    return [_key(name) for name in names if name]


def typed(text: str) -> list[int]:
    """Return the keys that write ``text``, one for each character.

    Raises:
        UnknownKey: it has a character that nobody types.
    """
    return [_character(each) for each in text.replace("\r\n", "\n")]


def _key(name: str) -> int:
    if len(name) == 1:
        return _character(name)
    lower = name.lower()
    if lower in _NAMED:
        return _NAMED[lower]
    if lower[0] == "f" and lower[1:].isdigit() and 1 <= int(lower[1:3]) <= 35 and len(lower) < 4:
        return _F1 + int(lower[1:]) - 1
    raise UnknownKey(f"Unknown key: {name}")


def _character(each: str) -> int:
    code = ord(each)
    if each in _CONTROLS:
        return _CONTROLS[each]
    if 0x20 <= code < 0x7F or 0xA0 <= code <= 0xFF:
        return code
    if code < 0xA0 or 0xD800 <= code < 0xE000:
        raise UnknownKey(f"Unknown key: {each!r}")
    return _UNICODE | code
