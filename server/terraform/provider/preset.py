"""``coder_workspace_preset``: named parameter values, and how many ready workspaces to keep."""

import re
from datetime import timedelta
from itertools import combinations

from server.terraform.provider import checks, cron
from server.terraform.provider.schema import (
    BOOL,
    NUMBER,
    STRING_MAP,
    Block,
    Body,
    Call,
    DataSource,
    Nesting,
    computed,
    optional,
    required,
)
from server.terraform.provider.timezones import is_timezone
from server.terraform.provider.values import Object, quote

_HOUR, _YEAR = 3600, int(timedelta(days=365).total_seconds())
_HOURS, _DAYS_OF_MONTH, _MONTHS, _WEEKDAYS = 23, 31, 12, 6


def _ttl(value: int, label: str) -> str | None:
    if value == 0 or _HOUR <= value <= _YEAR:
        return None
    return f"{quote(label)} must be 0 or between {_HOUR} and {_YEAR}, got {value}"


def _timezone(value: str, _label: str) -> str | None:
    if is_timezone(value):
        return None
    return f"failed to load timezone {quote(value)}: unknown time zone {value}"


def _cron(value: str, _label: str) -> str | None:
    fields = value.split()
    if len(fields) != 5:
        return "cron spec failed validation: cron specification should consist of 5 fields"
    if fields[0] != "*":
        return "cron spec failed validation: minute field should be *"
    try:
        cron.check_unix(value)
    except cron.BadCron as error:
        return f"failed to parse cron spec: {error}"
    return None


def _schedules_differ(items: list[Object], _label: str) -> str | None:
    expressions: list[str] = [item["cron"] for item in items]
    if any(_cron(expression, "") for expression in expressions):
        return None  # The field's own check complains.
    problem = _first_overlap(expressions)
    return None if problem is None else f"schedules overlap with each other: {problem}"


def _first_overlap(expressions: list[str]) -> str | None:
    for one, other in combinations(expressions, 2):
        try:
            if overlap(one, other):
                return f"schedules overlap: {one} and {other}"
        except ValueError as error:
            return f"invalid schedule: {error}"
    return None


def overlap(one: str, other: str) -> bool:
    """Tell whether two schedules of the form ``* HOUR DAY MONTH WEEKDAY`` ever meet.

    Raises:
        ValueError: a field is more than ``*``, numbers, ranges and lists.
    """
    _, hours, days, months, weekdays = one.split()
    _, other_hours, other_days, other_months, other_weekdays = other.split()
    if not _meet("month", months, other_months, _MONTHS):
        return False
    # The published rule: a star among the days of the month leaves it to the weekday, and
    # the other way round; only when both name both does either one suffice.
    if "*" in {days, other_days}:
        same_day = _meet("day", weekdays, other_weekdays, _WEEKDAYS)
    elif "*" in {weekdays, other_weekdays}:
        same_day = _meet("day", days, other_days, _DAYS_OF_MONTH)
    else:
        by_date = _meet("day", days, other_days, _DAYS_OF_MONTH)
        same_day = _meet("day", weekdays, other_weekdays, _WEEKDAYS) or by_date
    return same_day and _meet("hour", hours, other_hours, _HOURS)


def _meet(what: str, one: str, other: str, most: int) -> bool:
    try:
        return not _numbers(one, most).isdisjoint(_numbers(other, most))
    except ValueError as error:
        raise ValueError(f"invalid {what} range: {error}") from None


def _numbers(written: str, most: int) -> set[int]:
    # A star reaches from zero also where there is no zero: that is the published rule.
    if written == "*":
        return set(range(most + 1))
    numbers = set[int]()
    for part in written.split(","):
        found = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", part)
        if found is None:
            raise ValueError(f"invalid value: {part} is no number")
        low, high = int(found[1]), int(found[2] or found[1])
        if found[2] is None and low > most:
            raise ValueError(f"invalid value {low}: must be between 0 and {most}")
        if not low <= high <= most:
            raise ValueError(f"invalid range {part}: values must be between 0 and {most}")
        numbers.update(range(low, high + 1))
    return numbers


def _read(value: Object, _call: Call) -> None:
    value["id"] = value["name"]


_SCHEDULE = Body(
    {"cron": required("string", _cron), "instances": required(NUMBER, checks.at_least(0))}
)
_SCHEDULING = Body(
    {"timezone": required("string", _timezone)},
    {"schedule": Block(Nesting.LIST, _SCHEDULE, at_least=1, checks=(_schedules_differ,))},
)
_PREBUILDS = Body(
    {"instances": required(NUMBER, checks.at_least(0))},
    {
        "expiration_policy": Block(Nesting.SET, Body({"ttl": required(NUMBER, _ttl)}), at_most=1),
        "scheduling": Block(Nesting.LIST, _SCHEDULING, at_most=1),
    },
)
PRESET = DataSource(
    Body(
        {
            "id": computed(),
            "name": required("string", checks.not_empty),
            "description": optional("string", checks.at_most_long(128)),
            "icon": optional("string", checks.url, checks.at_most_long(256)),
            "default": optional(BOOL, default=False),
            "parameters": optional(STRING_MAP),
        },
        {"prebuilds": Block(Nesting.SET, _PREBUILDS, at_most=1)},
    ),
    read=_read,
)
