"""People who used a template, day by day. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from coder_cli.sdk.templates import DAUEntry, DAUsResponse


@dataclass(frozen=True, slots=True)
class Day:
    """How many people used a template on one day."""

    date: date
    users: int


def daily_users(days: Sequence[Day], now: datetime, hours_from_utc: int) -> DAUsResponse:
    """Return every day from the first of ``days`` to today; quiet ones have nobody."""
    known = {day.date: day.users for day in days}
    today = (now + timedelta(hours=hours_from_utc)).date()
    first = min(known, default=today + timedelta(days=1))
    every = (first + timedelta(days=n) for n in range((today - first).days + 1))
    entries = [DAUEntry(date=day.isoformat(), amount=known.get(day, 0)) for day in every]
    return DAUsResponse(entries=entries, tz_hour_offset=hours_from_utc)
