"""When a cron expression is due: seconds first, the weekday optional, or a descriptor. Pure.

The grammar is the provider's, which has judged the expression when the template was imported
(``server/terraform/provider/cron.py``): names of months and days, ``?`` as ``*``, ``TZ=`` and
``CRON_TZ=`` before it, ``@every 90s``. As in every cron, of the day of the month and the weekday
either is enough when both are restricted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from coder_cli.kit.durations import parse_duration

# fmt: off
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)
# fmt: on
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DESCRIPTORS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_FAR: Final = timedelta(days=5 * 366)
"""What is not due within five years, such as the 30th of February, never is."""
_SECOND: Final = timedelta(seconds=1)


class BadCron(ValueError):
    """The expression cannot be read; the message says why."""


class Schedule(Protocol):
    """When something is due."""

    def after(self, now: datetime) -> datetime | None:
        """Return the first moment after ``now``, in UTC, or None if there is none."""
        ...


def parse(expression: str, zone: tzinfo | None = None) -> Schedule:
    """Return when ``expression`` is due, by the clock of ``zone`` (the machine's own).

    Raises:
        BadCron: it cannot be read.
    """
    text = expression.strip()
    if text.startswith(("TZ=", "CRON_TZ=")):
        setting, _, text = text.partition(" ")
        zone = _zone(setting.partition("=")[2])
        text = text.strip()
    if text.startswith("@every "):
        return _Every(_pause(text.removeprefix("@every ")))
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise BadCron(f"unrecognized descriptor: {text}")
        text = _DESCRIPTORS[text]
    fields = text.split()
    if len(fields) not in (5, 6):
        raise BadCron(f"expected 5 to 6 fields, found {len(fields)}: {text!r}")
    return _Fields(
        *(_field(text, *bounds) for text, bounds in zip([*fields, "*"], _BOUNDS, strict=False)),
        zone=zone,
    )


@dataclass(frozen=True, slots=True)
class _Every:
    pause: timedelta

    def after(self, now: datetime) -> datetime | None:
        return now.astimezone(UTC).replace(microsecond=0) + self.pause


@dataclass(frozen=True, slots=True)
class _Field:
    values: frozenset[int]
    any: bool
    """Written as ``*``: a day that may be any does not decide."""


_BOUNDS: Final[tuple[tuple[int, int, tuple[str, ...]], ...]] = (
    (0, 59, ()),
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class _Fields:
    second: _Field
    minute: _Field
    hour: _Field
    day: _Field
    month: _Field
    weekday: _Field
    zone: tzinfo | None

    def after(self, now: datetime) -> datetime | None:
        # Every step goes on in true time, so that an hour that comes twice, or never, is right.
        at = now.astimezone(UTC).replace(microsecond=0) + _SECOND
        end = at + _FAR
        while at < end:
            step = self._step(at.astimezone(self.zone))
            if not step:
                return at
            at += step
        return None

    def _step(self, local: datetime) -> timedelta:
        """Return how far to go until it is worth looking again; nothing if it is due."""
        if local.month not in self.month.values or not self._is_day(local):
            return self._to_midnight(local)
        if local.hour not in self.hour.values:
            return timedelta(minutes=60 - local.minute) - timedelta(seconds=local.second)
        if local.minute not in self.minute.values:
            return timedelta(seconds=60 - local.second)
        later = [value for value in self.second.values if value >= local.second]
        return timedelta(seconds=(min(later) if later else 60) - local.second)

    def _to_midnight(self, local: datetime) -> timedelta:
        wall = local.replace(hour=0, minute=0, second=0, fold=0, tzinfo=None) + timedelta(days=1)
        # No zone at all means the machine's own, which is what astimezone takes a naive time for.
        midnight = wall.replace(tzinfo=self.zone) if self.zone else wall.astimezone()
        return max(midnight.astimezone(UTC) - local.astimezone(UTC), _SECOND)

    def _is_day(self, local: datetime) -> bool:
        day = local.day in self.day.values
        weekday = local.isoweekday() % 7 in self.weekday.values
        if self.day.any or self.weekday.any:
            return day and weekday
        return day or weekday


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError.
        raise BadCron(f"unknown time zone {name!r}") from None
    except KeyError:
        raise BadCron(f"unknown time zone {name!r}") from None


def _pause(text: str) -> timedelta:
    try:
        return max(parse_duration(text), _SECOND)
    except ValueError as error:
        raise BadCron(f"@every {text}: {error}") from None


def _field(text: str, low: int, high: int, names: tuple[str, ...]) -> _Field:
    values: set[int] = set()
    wild = False
    for part in filter(None, text.split(",")):
        span, slash, step = part.partition("/")
        first, hyphen, last = span.partition("-")
        if first in ("*", "?"):
            begin, end = low, high
        else:
            begin = _number(first, low, names, part)
            end = _number(last, low, names, part) if hyphen else high if slash else begin
        pace = _number(step, 0, (), part) if slash else 1
        if begin < low or end > high or begin > end or pace < 1:
            raise BadCron(f"{part!r} is not within {low} to {high}")
        wild = wild or (first in ("*", "?") and pace == 1)
        values.update(range(begin, end + 1, pace))
    return _Field(frozenset(values), wild)


def _number(text: str, low: int, names: tuple[str, ...], part: str) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not (text.isascii() and text.isdecimal()):
        raise BadCron(f"{text!r} in {part!r} is not a number")
    return int(text)
