"""NUL in JSON for PostgreSQL: jsonb refuses it, and tools answer with it.

Source: reference, chats, section 3.12. U+0000 becomes U+E000 U+E001 and a literal U+E000 is
doubled, in every string and key at any depth; reading turns both back, to the bit. A lone
surrogate, which is no text at all, becomes U+FFFD for good; a number that JSON has no word for
(NaN, Infinity) becomes null.
"""

import math
import re
from collections.abc import Mapping
from typing import cast

from server.llm.parts import Json

_MARK = "\ue000"
_ESCAPED = re.compile("\ue000([\ue000\ue001])")
_SURROGATE = re.compile("[\ud800-\udfff]")


def escape_text(text: str) -> str:
    """Return ``text`` as jsonb takes it."""
    if _MARK in text:
        text = text.replace(_MARK, _MARK + _MARK)
    if "\0" in text:
        text = text.replace("\0", "\ue000\ue001")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def restore_text(text: str) -> str:
    """Return what ``escape_text`` was given; a mark that stands alone stays as it is."""
    if _MARK not in text:
        return text
    return _ESCAPED.sub(lambda found: _MARK if found[1] == _MARK else "\0", text)


def escape(value: object) -> Json:
    """Return a tree of JSON with every string and key escaped."""
    match value:
        case str():
            return escape_text(value)
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float():
            return value
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return {escape_text(str(key)): escape(inner) for key, inner in pairs}
        case list() | tuple():
            return [escape(inner) for inner in cast("list[object]", value)]
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON")


def restore(value: Json) -> Json:
    """Return the tree that ``escape`` was given."""
    match value:
        case str():
            return restore_text(value)
        case dict():
            return {restore_text(key): restore(inner) for key, inner in value.items()}
        case list():
            return [restore(inner) for inner in value]
        case _:
            return value
