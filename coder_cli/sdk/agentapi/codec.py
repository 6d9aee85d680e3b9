"""Dataclasses to plain JSON types and back, with the place of whatever does not fit."""

from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

Json: TypeAlias = Any
"""A value as ``json.loads`` returns it; it becomes typed by ``from_json``."""
T = TypeVar("T")


class BadShape(ValueError):
    """The other end said something that does not fit its shape."""


def to_json(value: object) -> Json:
    """Return ``value``, one of the shapes above, as plain JSON types."""
    match value:
        case None | bool() | int() | float() | str():
            return value.value if isinstance(value, Enum) else value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case dict():
            pairs = cast("dict[str, object]", value)
            return {key: to_json(item) for key, item in pairs.items()}
        case tuple() | list():
            return [to_json(item) for item in cast("tuple[object, ...]", value)]
        case _:
            if not is_dataclass(value):
                raise TypeError(f"{type(value).__name__} has no JSON form")
            return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}


def from_json(shape: type[T], body: Json) -> T:
    """Return ``body``, as ``json.loads`` gave it, as an instance of ``shape``.

    Raises:
        BadShape: a key is missing, or a value does not fit; the message names the place.
    """
    return _read(shape, body, shape.__name__)


@cache
def _plan(shape: type) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(shape)
    return tuple(
        (
            each.name,
            hints[each.name],
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(shape)
    )


def _read(hint: Any, body: Json, where: str) -> Any:
    if hint is Any:
        return body
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not NoneType)
        return None if body is None else _read(inner, body, where)
    if origin is tuple:
        return _read_items(get_args(hint)[0], body, where)
    if origin is dict:
        if not isinstance(body, dict):
            raise BadShape(f"{where} must be an object")
        inner = get_args(hint)[1]
        pairs = cast("dict[str, Json]", body)
        return {key: _read(inner, item, f"{where}.{key}") for key, item in pairs.items()}
    if is_dataclass(hint):
        return _read_object(cast("type[object]", hint), body, where)
    return _read_scalar(hint, body, where)


def _read_items(inner: Any, body: Json, where: str) -> tuple[Any, ...]:
    if body is None:  # Go writes an empty list as null.
        return ()
    if not isinstance(body, list):
        raise BadShape(f"{where} must be a list")
    items = cast("list[Json]", body)
    return tuple(_read(inner, item, f"{where}[{at}]") for at, item in enumerate(items))


def _read_object(shape: type, body: Json, where: str) -> Any:
    if not isinstance(body, dict):
        raise BadShape(f"{where} must be an object")
    pairs = cast("dict[str, Json]", body)
    known: dict[str, Any] = {}
    for name, hint, required in _plan(shape):
        if name in pairs:
            known[name] = _read(hint, pairs[name], f"{where}.{name}")
        elif required:
            raise BadShape(f"{where}.{name} is missing")
    return shape(**known)


def _read_scalar(kind: type, body: Json, where: str) -> Any:
    # No message repeats the value: it may be a secret of the manifest.
    try:
        if kind is datetime:
            return datetime.fromisoformat(body).astimezone(UTC)
        if kind is UUID or issubclass(kind, Enum):
            return kind(body)
    except (ValueError, TypeError, AttributeError):
        raise BadShape(f"{where} is not a {kind.__name__}") from None
    fits = isinstance(body, int | float) if kind is float else isinstance(body, kind)
    if not fits or (isinstance(body, bool) and kind is not bool):
        raise BadShape(f"{where} must be {kind.__name__}, not {type(body).__name__}")
    return body
