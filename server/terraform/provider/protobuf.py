"""A protobuf codec of a page: messages are tables, values are dicts. Unary calls need no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from server.terraform.provider.values import Object


class Kind(Enum):
    """How a scalar field is written."""

    STRING = auto()
    BYTES = auto()
    INT = auto()
    BOOL = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message type: its fields by name. Filled in two steps where types refer to themselves."""

    fields: "dict[str, Field]"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, what it holds, and whether it repeats or is a map by string."""

    number: int
    holds: Kind | Message
    many: bool = False
    mapped: bool = False
    """Written only: terraform sends no maps."""


_WIRE_VARINT, _WIRE_64, _WIRE_BYTES, _WIRE_32 = 0, 1, 2, 5
_SIGN = 1 << 63
_LONGEST_VARINT = 10


@cache
def _by_number(message: Message) -> dict[int, tuple[str, Field]]:
    return {field.number: (name, field) for name, field in message.fields.items()}


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, _LONGEST_VARINT * 7, 7):
        if at >= len(data):
            raise ValueError("the message ends inside a number")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError(f"a number of more than {_LONGEST_VARINT} bytes")


def encode(message: Message, value: Object) -> bytes:
    """Return the bytes of a message; fields that are missing, None or zero are left out."""
    out = bytearray()
    for name, spec in message.fields.items():
        content = value.get(name)
        if content is None:
            continue
        if spec.mapped:
            for key, entry in content.items():
                body = encode(
                    Message({"key": Field(1, Kind.STRING), "value": Field(2, spec.holds)}),
                    {"key": key, "value": entry},
                )
                out += _varint(spec.number << 3 | _WIRE_BYTES) + _varint(len(body)) + body
        elif spec.many:
            for item in content:
                out += _one(spec, item)
        elif content or isinstance(spec.holds, Message):
            out += _one(spec, content)
    return bytes(out)


def _one(spec: Field, value: Any) -> bytes:
    match spec.holds:
        case Kind.INT | Kind.BOOL:
            return _varint(spec.number << 3 | _WIRE_VARINT) + _varint(int(value))
        case Kind.STRING:
            body = value.encode()
        case Kind.BYTES:
            body = value
        case Message():
            body = encode(spec.holds, value)
    return _varint(spec.number << 3 | _WIRE_BYTES) + _varint(len(body)) + body


def decode(message: Message, data: bytes) -> Object:
    """Return the fields of a message; unknown fields are skipped.

    Raises:
        ValueError: ``data`` is not a message.
    """
    out: Object = {}
    by_number = _by_number(message)
    for number, raw in _read(data):
        if number not in by_number:
            continue
        name, spec = by_number[number]
        value = _value(spec, raw)
        if spec.many:
            out.setdefault(name, []).append(value)
        else:
            out[name] = value
    return out


def _read(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at, end = 0, len(data)
    while at < end:
        tag, at = _read_varint(data, at)
        raw: int | bytes
        match tag & 7:
            case 0:
                raw, at = _read_varint(data, at)
            case 1:
                raw, at = data[at : at + 8], at + 8
            case 2:
                size, at = _read_varint(data, at)
                raw, at = data[at : at + size], at + size
            case 5:
                raw, at = data[at : at + 4], at + 4
            case wire:
                raise ValueError(f"unknown wire type {wire}")
        if at > end:
            raise ValueError("the message ends inside a field")
        yield tag >> 3, raw


def _value(spec: Field, raw: int | bytes) -> Any:
    if isinstance(raw, int):
        if spec.holds is Kind.BOOL:
            return bool(raw)
        return raw - (1 << 64) if raw >= _SIGN else raw
    if isinstance(spec.holds, Message):
        return decode(spec.holds, raw)
    return raw.decode() if spec.holds is Kind.STRING else raw
