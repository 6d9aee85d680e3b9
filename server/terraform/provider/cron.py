"""Cron expressions as the agent reads them: six fields, the last optional, or a descriptor."""

import re
from dataclasses import dataclass, field

from coder_cli.kit.durations import parse_duration


class BadCron(ValueError):
    """The expression cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: tuple[str, ...] = field(default=())

    def number(self, text: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.low
        if not re.fullmatch(r"\d+", text):
            raise BadCron(f"failed to parse int from {text}")
        return int(text)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SECOND, MINUTE, HOUR = _Bounds(0, 59), _Bounds(0, 59), _Bounds(0, 23)
DAY_OF_MONTH, MONTH, DAY_OF_WEEK = _Bounds(1, 31), _Bounds(1, 12, _MONTHS), _Bounds(0, 6, _DAYS)
_UNIX = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)
_WITH_SECONDS = (SECOND, *_UNIX)
_DESCRIPTORS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)


def check(expression: str) -> int:
    """Judge an expression with seconds; return how many fields it has, 0 for a descriptor.

    Raises:
        BadCron: it cannot be read.
    """
    text = _without_timezone(expression)
    if text.startswith("@"):
        _check_descriptor(text)
        return 0
    fields = text.split()
    if len(fields) not in {5, 6}:
        raise BadCron(f"expected 5 to 6 fields, found {len(fields)}: [{' '.join(fields)}]")
    for bounds, written in zip(_WITH_SECONDS, [*fields, "*"], strict=False):
        _check_field(written, bounds)
    return len(fields)


def check_unix(expression: str) -> None:
    """Judge an expression of five fields, without seconds.

    Raises:
        BadCron: it cannot be read.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise BadCron(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    for bounds, written in zip(_UNIX, fields, strict=True):
        _check_field(written, bounds)


def _without_timezone(expression: str) -> str:
    if not expression:
        raise BadCron("empty spec string")
    if expression.startswith(("TZ=", "CRON_TZ=")):
        return expression.partition(" ")[2].strip()
    return expression


def _check_descriptor(text: str) -> None:
    if text.startswith("@every "):
        try:
            parse_duration(text.removeprefix("@every "))
        except ValueError as error:
            raise BadCron(f"failed to parse duration {text}: {error}") from None
    elif text not in _DESCRIPTORS:
        raise BadCron(f"unrecognized descriptor: {text}")


def _check_field(written: str, bounds: _Bounds) -> None:
    for part in written.split(","):
        _check_part(part, bounds)


def _check_part(part: str, bounds: _Bounds) -> None:
    span, *steps = part.split("/")
    if len(steps) > 1:
        raise BadCron(f"too many slashes: {part}")
    first, *rest = span.split("-")
    if len(rest) > 1:
        raise BadCron(f"too many hyphens: {part}")
    if first in {"*", "?"}:
        low, high = bounds.low, bounds.high
    else:
        low = bounds.number(first)
        high = bounds.number(rest[0]) if rest else bounds.high if steps else low
    if low < bounds.low:
        raise BadCron(f"beginning of range ({low}) below minimum ({bounds.low}): {part}")
    if high > bounds.high:
        raise BadCron(f"end of range ({high}) above maximum ({bounds.high}): {part}")
    if low > high:
        raise BadCron(f"beginning of range ({low}) beyond end of range ({high}): {part}")
    if steps and not (steps[0].isdecimal() and int(steps[0])):
        raise BadCron(f"step of range should be a positive number: {part}")
