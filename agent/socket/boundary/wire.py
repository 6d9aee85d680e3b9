"""What a boundary says on its socket: frames with a tag, and messages in Protocol Buffers. Pure.

A frame is a tag (8 bits), a length (24 bits, big-endian) and so many bytes. The fields of messages
have the numbers of their order in the reference. Unknown fields are skipped: boundaries get newer.
Source: reference, agent and provisioner, sections 1.3 and 2.10.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final, TypeAlias

from coder_cli.sdk.agentapi.boundary import BoundaryLog, BoundaryLogs, HttpAccess

HEADER: Final = 4
LARGEST: Final = 32768
_LONGEST_VARINT: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNED: Final = 1 << 63
Value: TypeAlias = int | bytes


class BadFrame(ValueError):
    """This is nothing that a boundary says; the message says what is wrong."""


class Tag(IntEnum):
    """What is in a frame."""

    V1 = 1
    """A bare batch, as the first boundaries send it."""
    V2 = 2
    """An envelope with a batch or a status."""


@dataclass(frozen=True, slots=True)
class Status:
    """Logs that the boundary itself has lost."""

    dropped_channel_full: int = 0
    dropped_batch_full: int = 0


Message: TypeAlias = BoundaryLogs | Status | None
"""None is an envelope of a kind that we do not know."""


def header(data: bytes) -> tuple[Tag, int]:
    """Return what is in the frame that begins with ``data``, and its length.

    Raises:
        BadFrame: the tag is unknown, or the frame too long.
    """
    tag, length = data[0], int.from_bytes(data[1:HEADER])
    if tag not in set(Tag):
        raise BadFrame(f"unknown tag {tag}")
    if length > LARGEST:
        raise BadFrame(f"a frame of {length} bytes; {LARGEST} are the most")
    return Tag(tag), length


def message(tag: Tag, data: bytes) -> Message:
    """Return what a frame says.

    Raises:
        BadFrame: it cannot be read.
    """
    if tag is Tag.V1:
        return _batch(data)
    found: Message = None
    for number, value in _fields(data):
        match number, value:
            case 1, bytes():
                found = _batch(value)
            case 2, bytes():
                found = _status(value)
            case _:
                continue
    return found


def _batch(data: bytes) -> BoundaryLogs:
    logs: list[BoundaryLog] = []
    session, process = "", ""
    for number, value in _fields(data):
        match number, value:
            case 1, bytes():
                logs.append(_log(value))
            case 2, bytes():
                session = _text(value)
            case 3, bytes():
                process = _text(value)
            case _:
                continue
    return BoundaryLogs(tuple(logs), session, process)


def _log(data: bytes) -> BoundaryLog:
    allowed, moment, sequence = False, _EPOCH, 0
    access: HttpAccess | None = None
    for number, value in _fields(data):
        match number, value:
            case 1, int():
                allowed = bool(value)
            case 2, bytes():
                moment = _moment(value)
            case 3, bytes():
                access = _access(value)
            case 4, int():
                sequence = _signed(value)
            case _:
                continue
    return BoundaryLog(allowed, moment, access, sequence)


def _access(data: bytes) -> HttpAccess:
    found = {number: _text(value) for number, value in _fields(data) if isinstance(value, bytes)}
    return HttpAccess(found.get(1, ""), found.get(2, ""), found.get(3, ""))


def _status(data: bytes) -> Status:
    found = {number: _signed(value) for number, value in _fields(data) if isinstance(value, int)}
    return Status(max(0, found.get(1, 0)), max(0, found.get(2, 0)))


def _moment(data: bytes) -> datetime:
    found = {number: _signed(value) for number, value in _fields(data) if isinstance(value, int)}
    try:
        return _EPOCH + timedelta(seconds=found.get(1, 0), microseconds=found.get(2, 0) // 1000)
    except OverflowError:
        raise BadFrame("a time that no calendar has") from None


def _signed(value: int) -> int:
    return value - 2 * _SIGNED if value >= _SIGNED else value


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
            case 1:
                at = _within(data, at + 8)
            case 2:
                length, at = _varint(data, at)
                end = _within(data, at + length)
                yield key >> 3, data[at:end]
                at = end
            case 5:
                at = _within(data, at + 4)
            case kind:
                raise BadFrame(f"a field of the unknown kind {kind}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        byte = data[_within(data, at + place + 1) - 1]
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value & (2 * _SIGNED - 1), at + place + 1
    raise BadFrame("a number without an end")


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise BadFrame("it ends amid a field")
    return end
