"""When cron expressions are due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.scripts.cron import BadCron, parse

NOW = datetime(2026, 11, 21, 15, 30, 10, tzinfo=UTC)  # A Saturday.
BERLIN = ZoneInfo("Europe/Berlin")


def next_times(expression: str, count: int, now: datetime = NOW) -> list[str]:
    schedule, found = parse(expression, UTC), list[str]()
    for _ in range(count):
        due = schedule.after(now)
        assert due is not None
        assert due.tzinfo is UTC
        found.append(due.strftime("%m-%d %H:%M:%S"))
        now = due
    return found


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("* * * * * *", ["11-21 15:30:11", "11-21 15:30:12"]),
        ("*/20 * * * * *", ["11-21 15:30:20", "11-21 15:30:40", "11-21 15:31:00"]),
        ("10 30 15 * * *", ["11-22 15:30:10", "11-23 15:30:10"]),
        ("0 0 9 * * *", ["11-22 09:00:00"]),
        ("0 0 9 * *", ["11-22 09:00:00"]),
        ("0 0 9-17/4 * * mon-fri", ["11-23 09:00:00", "11-23 13:00:00", "11-23 17:00:00"]),
        ("0 5,10 * * * *", ["11-21 16:05:00", "11-21 16:10:00"]),
        ("0 45/5 * * * *", ["11-21 15:45:00", "11-21 15:50:00", "11-21 15:55:00"]),
        ("0 0 0 1 JAN ?", ["01-01 00:00:00"]),
        ("0 0 0 29 2 *", ["02-29 00:00:00"]),
        ("0 0 0 1 * 0", ["11-22 00:00:00", "11-29 00:00:00", "12-01 00:00:00"]),
        ("0 0 0 */1 * 0", ["11-22 00:00:00", "11-29 00:00:00", "12-06 00:00:00"]),
        ("@hourly", ["11-21 16:00:00", "11-21 17:00:00"]),
        ("@daily", ["11-22 00:00:00"]),
        ("@midnight", ["11-22 00:00:00"]),
        ("@weekly", ["11-22 00:00:00"]),
        ("@monthly", ["12-01 00:00:00"]),
        ("@yearly", ["01-01 00:00:00"]),
        ("@annually", ["01-01 00:00:00"]),
        ("@every 90s", ["11-21 15:31:40", "11-21 15:33:10"]),
        ("@every 1ms", ["11-21 15:30:11"]),
        ("CRON_TZ=Asia/Tokyo 0 0 9 * * *", ["11-22 00:00:00"]),
        ("TZ=America/New_York 0 0 11 * * *", ["11-21 16:00:00"]),
    ],
)
def test_the_next_times(expression: str, times: list[str]) -> None:
    assert next_times(expression, len(times)) == times


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "* * * * * 7",
        "*/0 * * * * *",
        "5-3 * * * * *",
        "1-2-3 * * * * *",
        "x * * * * *",
        "-1 * * * * *",
        "@reboot",
        "@every soon",
        "CRON_TZ=Mars/Olympus * * * * * *",
        "TZ=../../etc/passwd * * * * * *",
        "CRON_TZ=UTC",
    ],
)
def test_what_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(BadCron):
        parse(expression)


def test_a_day_that_never_comes_is_never_due() -> None:
    assert parse("0 0 0 30 2 *", UTC).after(NOW) is None


def test_an_hour_that_is_left_out_in_spring_is_left_out() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    due = parse("0 30 2 * * *", BERLIN).after(before)
    assert due == datetime(2026, 3, 30, 2, 30, tzinfo=BERLIN)


def test_in_the_hour_that_comes_twice_in_autumn_nothing_stands_still() -> None:
    schedule = parse("0 */20 * * * *", BERLIN)
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in summer time.
    gaps: list[timedelta] = []
    for _ in range(6):
        due = schedule.after(at)
        assert due is not None
        gaps.append(due - at)
        at = due
    assert gaps == [timedelta(minutes=10), *[timedelta(minutes=20)] * 5]


def test_the_machines_own_time_is_meant_when_no_zone_is_named() -> None:
    due = parse("0 0 0 * * *").after(NOW)
    assert due is not None
    local = due.astimezone()
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    assert timedelta(0) < due - NOW <= timedelta(hours=25)


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    ranges = st.tuples(numbers, numbers).map(lambda both: f"{min(both)}-{max(both)}")
    steps = st.tuples(ranges | st.just("*"), st.integers(1, 9)).map(
        lambda two: f"{two[0]}/{two[1]}"
    )
    one = st.just("*") | numbers.map(str) | ranges | steps
    return st.lists(one, min_size=1, max_size=3).map(",".join)


def _holds(field: str, value: int, low: int, high: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin, end = (low, high) if first == "*" else (int(first), int(last or first))
        if begin <= value <= end and (value - begin) % int(step or 1) == 0:
            return True
    return False


@given(
    st.tuples(_field(0, 59), _field(0, 59), _field(0, 23)),
    st.floats(0, 10 * 365 * 86400),
)
def test_what_is_due_fits_its_fields_and_nothing_was_passed_over(
    fields: tuple[str, str, str], later: float
) -> None:
    now = NOW + timedelta(seconds=later)
    due = parse(" ".join([*fields, "*", "*", "*"]), UTC).after(now)
    assert due is not None
    assert now < due <= now + timedelta(days=1, seconds=1)

    def fits(moment: datetime) -> bool:
        bounds = ((moment.second, 59), (moment.minute, 59), (moment.hour, 23))
        return all(
            _holds(field, value, 0, high)
            for field, (value, high) in zip(fields, bounds, strict=True)
        )

    assert fits(due)
    moment = now.replace(microsecond=0) + timedelta(seconds=1)
    for _ in range(200):
        if moment >= due:
            return
        assert not fits(moment)
        moment += timedelta(seconds=1)
