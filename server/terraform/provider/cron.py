"""Cron expressions as the agent reads them: six fields, the last optional, or a descriptor."""

from dataclasses import dataclass, field

from coder_cli.kit.durations import parse_duration
from server.terraform.provider import gotext
from server.terraform.provider.timezones import is_timezone
from server.terraform.provider.values import quote


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
        number = gotext.integer(text)
        if number is None:
            why = f"strconv.Atoi: parsing {quote(text)}: invalid syntax"
            raise BadCron(f"failed to parse int from {text}: {why}")
        if number < 0:
            raise BadCron(f"negative number ({number}) not allowed: {text}")
        return number


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SECOND, MINUTE, HOUR = _Bounds(0, 59), _Bounds(0, 59), _Bounds(0, 23)
DAY_OF_MONTH, MONTH, DAY_OF_WEEK = _Bounds(1, 31), _Bounds(1, 12, _MONTHS), _Bounds(0, 6, _DAYS)
_STEP = _Bounds(0, 0)
_UNIX = (MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)
_WITH_SECONDS = (SECOND, *_UNIX)
_DESCRIPTORS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)


def check(expression: str) -> None:
    """Judge an expression with seconds, whose weekday may be left out, or a descriptor.

    Raises:
        BadCron: it cannot be read.
    """
    _check(expression, _WITH_SECONDS)


def looks_unix(expression: str) -> bool:
    """Tell whether an expression was probably meant for a crontab, which has no seconds."""
    if len(expression.split()) != 5:
        return False
    try:
        _check(expression, _UNIX)
    except BadCron:
        return False
    return True


def _check(expression: str, bounds: tuple[_Bounds, ...]) -> None:
    text = _without_timezone(expression)
    if text.startswith("@"):
        _check_descriptor(text)
        return
    fields, most = text.split(), len(bounds)
    if len(fields) not in {most - 1, most}:
        found = f"found {len(fields)}: [{' '.join(fields)}]"
        raise BadCron(f"expected {most - 1} to {most} fields, {found}")
    for limits, written in zip(bounds, [*fields, "*"], strict=False):
        _check_field(written, limits)


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
    if not expression.startswith(("TZ=", "CRON_TZ=")):
        return expression
    setting, _, rest = expression.partition(" ")
    zone = setting.partition("=")[2]
    if not is_timezone(zone):
        raise BadCron(f"provided bad location {zone}: unknown time zone {zone}")
    return rest.strip()


def _check_descriptor(text: str) -> None:
    if text.startswith("@every "):
        try:
            parse_duration(text.removeprefix("@every "))
        except ValueError as error:
            raise BadCron(f"failed to parse duration {text}: {error}") from None
    elif text not in _DESCRIPTORS:
        raise BadCron(f"unrecognized descriptor: {text}")


def _check_field(written: str, bounds: _Bounds) -> None:
    for part in filter(None, written.split(",")):
        _check_part(part, bounds)


def _check_part(part: str, bounds: _Bounds) -> None:
    span, *steps = part.split("/")
    first, *rest = span.split("-")
    if first in {"*", "?"}:
        low, high = bounds.low, bounds.high
    elif len(rest) > 1:
        raise BadCron(f"too many hyphens: {part}")
    else:
        low = bounds.number(first)
        high = bounds.number(rest[0]) if rest else bounds.high if steps else low
    if len(steps) > 1:
        raise BadCron(f"too many slashes: {part}")
    step = _STEP.number(steps[0]) if steps else 1
    if low < bounds.low:
        raise BadCron(f"beginning of range ({low}) below minimum ({bounds.low}): {part}")
    if high > bounds.high:
        raise BadCron(f"end of range ({high}) above maximum ({bounds.high}): {part}")
    if low > high:
        raise BadCron(f"beginning of range ({low}) beyond end of range ({high}): {part}")
    if not step:
        raise BadCron(f"step of range should be a positive number: {part}")
