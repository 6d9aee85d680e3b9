"""When a workspace starts by itself: a weekly cron line with a zone of its own.

The server keeps to it, and clients show what it means.

Source: reference, API and CLI, section 3.4.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
"""In cron's order: 0 and 7 are Sunday."""
_SHORT = {name[:3]: number for number, name in enumerate(DAYS)}
_ZONE = re.compile(r"^(?:CRON_TZ|TZ)=(\S+)\s+")
_PART = re.compile(
    r"(?P<first>\*|[0-9]+|[a-z]{3})(?:-(?P<last>[0-9]+|[a-z]{3}))?(?:/(?P<step>[0-9]+))?"
)


class BadSchedule(ValueError):
    """The line is not a weekly schedule; the text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Weekly:
    """A minute of some days of the week, in a zone."""

    minute: int
    hour: int
    days: frozenset[int]
    zone: ZoneInfo

    def after(self, moment: datetime, allowed: Collection[str] = DAYS) -> datetime | None:
        """Return the first time later than ``moment`` on one of the ``allowed`` days, or None."""
        days = {day for day in self.days if DAYS[day] in allowed}
        local = moment.astimezone(self.zone)
        for ahead in range(9):  # today may be over already, and a week has seven days
            date = (local + timedelta(days=ahead)).date()
            if date.isoweekday() % 7 not in days:
                continue
            due = datetime(
                date.year, date.month, date.day, self.hour, self.minute, tzinfo=self.zone
            ).astimezone(moment.tzinfo)
            if due > moment:
                return due
        return None


def parse_weekly(line: str) -> Weekly:
    """Return the schedule that ``line`` says: ``CRON_TZ=Europe/Dublin 30 9 * * 1-5``.

    Raises:
        BadSchedule: it says no such thing.
    """
    zone, rest = _zone(line.strip())
    fields = rest.split()
    if len(fields) != 5:
        raise BadSchedule(
            "expected schedule to consist of 5 fields with an optional CRON_TZ=<timezone> prefix"
        )
    minute, hour, day, month, weekday = fields
    if day != "*":
        raise BadSchedule("expected day of month to be *")
    if month != "*":
        raise BadSchedule("expected month to be *")
    return Weekly(_number("minute", minute, 59), _number("hour", hour, 23), _days(weekday), zone)


def _zone(line: str) -> tuple[ZoneInfo, str]:
    found = _ZONE.match(line)
    name = found[1] if found else "UTC"
    try:
        return ZoneInfo(name), line[found.end() :] if found else line
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSchedule(f"provided bad location {name}: unknown time zone {name}") from None


def _number(what: str, text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", text) or int(text) > most:
        raise BadSchedule(f"expected {what} to be one number from 0 to {most}, not {text!r}")
    return int(text)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.lower().split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise BadSchedule(f"expected day of week to be like 1-5 or MON,WED, not {text!r}")
        days |= _range(found, text)
    return frozenset(days)


def _range(found: re.Match[str], text: str) -> set[int]:
    if found["first"] == "*":
        first, last = 0, 6
    else:
        first = _day(found["first"], text)
        last = _day(found["last"], text) if found["last"] else first
    step = int(found["step"] or 1)
    if step == 0 or last < first:
        raise BadSchedule(f"day of week {text!r} is empty")
    return {day % 7 for day in range(first, last + 1, step)}


def _day(text: str, whole: str) -> int:
    if text.isdigit() and int(text) <= 7:
        return int(text)
    if text in _SHORT:
        return _SHORT[text]
    raise BadSchedule(f"{text!r} in {whole!r} is no day of the week")
