"""When workspaces start by themselves: between what people type and the API's cron line."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from coder_cli.kit.environ import environ

_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*([aApP][mM])?")
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}


def cron_of(words: Sequence[str]) -> str:
    """Return ``CRON_TZ=<zone> <minute> <hour> * * <days>`` of ``9:00am Mon-Fri Europe/Berlin``.

    Raises:
        ValueError: the words are no schedule; the message is a sentence.
    """
    if not 1 <= len(words) <= 3:
        raise ValueError("Write a time, then days, then a place: 9:00am Mon-Fri Europe/Berlin.")
    hour, minute = _clock(words[0])
    days, zone = "*", ""
    for word in words[1:]:
        if _is_days(word):
            days = word
        else:
            zone = _zone(word)
    return f"CRON_TZ={zone or local_zone()} {minute} {hour} * * {days}"


def in_words(cron: str | None) -> str:
    """Return a schedule as tables show it: ``9:00AM Mon-Fri (Europe/Berlin)``."""
    fields = (cron or "").split()
    if len(fields) != 6 or not fields[0].startswith("CRON_TZ="):
        return cron or ""
    zone, minute, hour, days = fields[0].removeprefix("CRON_TZ="), fields[1], fields[2], fields[5]
    if not (minute.isdigit() and hour.isdigit()):
        return cron or ""
    half = "AM" if int(hour) < 12 else "PM"
    clock = f"{int(hour) % 12 or 12}:{int(minute):02}{half}"
    return f"{clock} {'daily' if days == '*' else days} ({zone})"


def next_times(cron: str, now: datetime, count: int, days: Collection[str]) -> list[str]:
    """Return when a schedule is due next on the ``days`` that a template allows, in its zone.

    Across a change of clocks the hour stays as it was written.
    """
    from coder_cli.kit.weekly import parse_weekly

    weekly = parse_weekly(cron)
    due: list[str] = []
    moment: datetime | None = now
    while len(due) < count and (moment := weekly.after(moment, days)) is not None:
        due.append(moment.astimezone(weekly.zone).strftime("%a %Y-%m-%d %H:%M %Z"))
    return due


def local_zone() -> str:
    """Return the IANA name of this machine's time zone, or UTC."""
    named = environ().get("TZ", "").lstrip(":")
    if named and _known(named):
        return named
    try:
        target = str(Path("/etc/localtime").resolve(strict=True))
    except OSError:
        return "UTC"
    _, found, name = target.partition("/zoneinfo/")
    return name if found and _known(name) else "UTC"


def _clock(word: str) -> tuple[int, int]:
    match = _TIME.fullmatch(word)
    if match is None or (match[2] is None and match[3] is None):
        raise ValueError(f"{word!r} is not a time of day; write 9:00am or 17:30.")
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{word!r} is not a time of day; write 9:00am or 17:30.")
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise ValueError(f"{word!r} is not a time of day; write 9:00am or 17:30.")
    return hour, minute


def _is_days(word: str) -> bool:
    parts = re.split(r"[,-]", word.lower())
    return word == "*" or all(part in _DAYS or part in {*"0123456"} for part in parts)


def _zone(word: str) -> str:
    if not _known(word):
        raise ValueError(f"{word!r} is neither days (Mon-Fri) nor a time zone (Europe/Berlin).")
    return word


def _known(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
