"""Terraform's values in Python: msgpack with one extra, the value that is not known yet."""

import json
from typing import Any, Final, cast

import msgpack
from typing_extensions import override

_msgpack: Any = msgpack  # The library has no types.

Object = dict[str, Any]
"""A block's value. Terraform's types are known at run time only, and the schema guards them."""


class _Unknown:
    """A value that terraform learns later."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()

# Extension 0 is a plain unknown value; its payload means nothing.
_PACKED_UNKNOWN = msgpack.ExtType(0, b"\0")


def unpack(dynamic: Object | None) -> Any:
    """Return the value inside a DynamicValue message, or None when there is none."""
    if not dynamic:
        return None
    if packed := dynamic.get("msgpack"):
        return _msgpack.unpackb(packed, ext_hook=_unpack_extension, raw=False, strict_map_key=False)
    return json.loads(dynamic["json"]) if dynamic.get("json") else None


def pack(value: Any) -> Object:
    """Return the DynamicValue message for a value."""
    return {"msgpack": _msgpack.packb(value, default=_pack_unknown, use_bin_type=True)}


def _unpack_extension(_code: int, _body: bytes) -> object:
    # Extension 12 is an unknown value with refinements; both mean "not known".
    return UNKNOWN


def _pack_unknown(value: object) -> msgpack.ExtType:
    if value is UNKNOWN:
        return _PACKED_UNKNOWN
    raise TypeError(f"terraform has no value for {value!r}")


def has_unknown(value: Any) -> bool:
    """Tell whether any part of a value is not known yet."""
    if value is UNKNOWN:
        return True
    if isinstance(value, dict):
        return any(map(has_unknown, cast("Object", value).values()))
    if isinstance(value, list):
        return any(map(has_unknown, cast("list[Any]", value)))
    return False


def without_unknown(value: Any) -> Any:
    """Return a value in which null stands for everything that was not known."""
    if value is UNKNOWN:
        return None
    if isinstance(value, dict):
        return {key: without_unknown(part) for key, part in cast("Object", value).items()}
    if isinstance(value, list):
        return [without_unknown(part) for part in cast("list[Any]", value)]
    return value


def known_items(value: Any) -> list[Object]:
    """Return the elements of a nested block that are known to exist."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [item for item in items if item is not UNKNOWN]


def quote(text: str) -> str:
    """Return ``text`` in double quotes, as Go's ``%q`` writes it."""
    return json.dumps(text, ensure_ascii=False)
