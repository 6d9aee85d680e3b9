"""Durations as people write them: Go's notation, plus days and years."""

import re
from datetime import timedelta

_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "y": 365 * 86400.0,
}
_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s|m|h|d|y)")


def parse_duration(text: str) -> timedelta:
    """Return the duration written in ``text``, such as ``1h30m``, ``7d`` or ``-5s``.

    Raises:
        ValueError: ``text`` is not a duration; the message is a sentence for a person.
    """
    body = text.strip()
    negative = body.startswith("-")
    body = body.lstrip("+-")
    if body == "0":
        return timedelta(0)
    seconds, end = 0.0, 0
    for part in _PART.finditer(body):
        if part.start() != end:
            break
        seconds += float(part[1]) * _UNITS[part[2]]
        end = part.end()
    if not body or end != len(body):
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 1h30m, 7d or 1y.")
    try:
        return timedelta(seconds=-seconds if negative else seconds)
    except OverflowError:
        raise ValueError(f"{text!r} is too long for a duration.") from None


def format_duration(span: timedelta) -> str:
    """Return ``span`` in Go's notation: ``1h30m0s``, ``1.5s``, ``0s``."""
    total = span.total_seconds()
    sign, total = ("-", -total) if total < 0 else ("", total)
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    out = f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{sign}{int(hours)}h{int(minutes)}m{out}"
    return f"{sign}{int(minutes)}m{out}" if minutes else f"{sign}{out}"


def nanoseconds(span: timedelta) -> int:
    """Return ``span`` in whole nanoseconds, the wire's unit for configuration and lifetimes."""
    return (span.days * 86400 + span.seconds) * 10**9 + span.microseconds * 1000
