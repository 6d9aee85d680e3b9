"""What Go's strconv reads as a number or a truth value: template authors have met its rules."""

import math
import re

_BOOL = re.compile(r"1|t|T|TRUE|true|True|0|f|F|FALSE|false|False")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_INT64 = 1 << 63

_DIGITS = "[0-9](?:_?[0-9])*"
_HEX = "[0-9a-fA-F](?:_?[0-9a-fA-F])*"
_DECIMAL = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_HEXADECIMAL = re.compile(rf"[+-]?0[xX](?:_?{_HEX}\.?(?:{_HEX})?|\.{_HEX})[pP][+-]?{_DIGITS}")
_WORD = re.compile(r"[+-]?inf|[+-]?infinity|nan", re.IGNORECASE)


def is_bool(text: str) -> bool:
    """Tell whether ``ParseBool`` takes a text."""
    return _BOOL.fullmatch(text) is not None


def integer(text: str) -> int | None:
    """Return the number that ``Atoi`` reads in a text, or None."""
    if not _INTEGER.fullmatch(text) or len(text) > 4000:
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None


def is_float(text: str) -> bool:
    """Tell whether ``ParseFloat`` takes a text: also inf, underscores and hexadecimals."""
    if _WORD.fullmatch(text):
        return True
    plain = text.replace("_", "")
    if _DECIMAL.fullmatch(text):
        return not math.isinf(float(plain))
    if not _HEXADECIMAL.fullmatch(text):
        return False
    try:
        float.fromhex(plain)
    except OverflowError:
        return False
    return True
