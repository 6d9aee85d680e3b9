"""Messages as a boundary writes them."""

from datetime import datetime


def varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(url: str, when: datetime, *, allowed: bool = True, sequence: int = 0) -> bytes:
    moment = field(1, int(when.timestamp())) + field(2, when.microsecond * 1000)
    access = field(1, "GET") + field(2, url) + (field(3, "domain=x") if allowed else b"")
    return field(1, int(allowed)) + field(2, moment) + field(3, access) + field(4, sequence)


def batch(*logs: bytes, session: str = "s-1", process: str = "claude") -> bytes:
    return b"".join(field(1, log) for log in logs) + field(2, session) + field(3, process)


def status(channel: int, full: int) -> bytes:
    return field(2, field(1, channel) + field(2, full))


def frame(tag: int, data: bytes) -> bytes:
    return bytes([tag]) + len(data).to_bytes(3) + data
