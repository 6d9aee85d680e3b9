"""The pure rules: status, deadlines, schedules, searches."""

from datetime import UTC, datetime, timedelta

import pytest
from inline_snapshot import snapshot

from coder_cli.sdk.agents import AgentStatus
from coder_cli.sdk.builds import Transition, WorkspaceStatus
from coder_cli.sdk.jobs import JobStatus
from server.kit.errors import Invalid
from server.workspaces.model import (
    STATUS,
    AutostopRules,
    BadSchedule,
    bumped_deadline,
    check_extension,
    check_ttl,
    parse_weekly,
    read_search,
    started_deadline,
    workspace_status,
)

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)


def picture() -> str:
    lines = ["".join(f"{word:>11}" for word in ("", *Transition))]
    for job in JobStatus:
        words = (job, *(workspace_status(transition, job) for transition in Transition))
        lines.append("".join(f"{word:>11}" for word in words))
    return "\n".join(lines)


def test_the_status_of_every_job_and_transition() -> None:
    assert len(STATUS) == len(JobStatus) * len(Transition)
    assert picture() == snapshot("""\
                 start       stop     delete
    pending    pending    pending    pending
    running   starting   stopping   deleting
  succeeded    running    stopped    deleted
  canceling  canceling  canceling  canceling
   canceled   canceled   canceled   canceled
     failed     failed     failed     failed
    unknown     failed     failed     failed\
""")


@pytest.mark.parametrize(
    ("ttl_ms", "complaint"),
    [
        (59_999, "time until shutdown must be at least one minute"),
        (60_000, None),
        (30 * 86_400_000, None),
        (30 * 86_400_000 + 1, "time until shutdown must be less than 30 days"),
        (-1, "time until shutdown must be at least one minute"),
        (10**30, "time until shutdown must be less than 30 days"),
    ],
)
def test_how_long_a_workspace_may_live(ttl_ms: int, complaint: str | None) -> None:
    assert check_ttl(ttl_ms) == complaint


def test_a_start_sets_the_deadline_of_the_workspace_or_of_a_stricter_template() -> None:
    free = AutostopRules(7_200_000, allow_user_autostop=True, activity_bump_ms=0)
    strict = AutostopRules(7_200_000, allow_user_autostop=False, activity_bump_ms=0)
    assert started_deadline(NOW, 3_600_000, free) == NOW + HOUR
    assert started_deadline(NOW, None, free) is None
    assert started_deadline(NOW, 3_600_000, strict) == NOW + 2 * HOUR
    assert started_deadline(NOW, None, free, NOW + HOUR) == NOW + HOUR
    assert started_deadline(NOW, 7_200_000, free, NOW + HOUR) == NOW + HOUR


def test_activity_puts_the_stop_off_once_five_percent_have_passed() -> None:
    hour = 3_600_000
    assert bumped_deadline(NOW, None, None, hour) is None
    assert bumped_deadline(NOW, NOW + HOUR, None, 0) is None
    assert bumped_deadline(NOW, NOW + timedelta(minutes=58), None, hour) is None
    assert bumped_deadline(NOW, NOW + timedelta(minutes=56), None, hour) == NOW + HOUR
    limit = NOW + timedelta(minutes=57)
    assert bumped_deadline(NOW, NOW + timedelta(minutes=56), limit, hour) == limit
    assert bumped_deadline(NOW, limit, limit, hour) is None


def test_an_extension_is_half_an_hour_ahead_and_within_the_limit() -> None:
    soon = "Cannot extend workspace: new deadline must be at least 30 minutes in the future"
    assert check_extension(NOW, NOW + timedelta(minutes=29), None) == soon
    assert check_extension(NOW, NOW + HOUR, None) is None
    assert check_extension(NOW, NOW + HOUR, NOW + HOUR) is None
    beyond = "Cannot extend workspace beyond max deadline."
    assert check_extension(NOW, NOW + 2 * HOUR, NOW + HOUR) == beyond


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CRON_TZ=UTC 30 9 * * 1-5", "2026-03-05T09:30:00+00:00"),
        ("30 11 * * *", "2026-03-04T11:30:00+00:00"),
        ("0 10 * * *", "2026-03-05T10:00:00+00:00"),
        ("CRON_TZ=Europe/Dublin 0 9 * * MON", "2026-03-09T09:00:00+00:00"),
        ("CRON_TZ=America/New_York 0 6 * * WED,FRI", "2026-03-04T11:00:00+00:00"),
        # The clocks of New York go forward on 8 March.
        ("CRON_TZ=America/New_York 0 6 * * 0", "2026-03-08T10:00:00+00:00"),
        ("0 9 * * 7", "2026-03-08T09:00:00+00:00"),
        ("0 9 * * 3", "2026-03-11T09:00:00+00:00"),
        ("0 9 * * */2", "2026-03-05T09:00:00+00:00"),
    ],
)
def test_when_a_schedule_is_due(line: str, expected: str) -> None:
    due = parse_weekly(line).after(NOW)
    assert due is not None
    assert due.isoformat() == expected


def test_a_template_can_forbid_days() -> None:
    weekly = parse_weekly("0 9 * * *")
    due = weekly.after(NOW, ["sunday"])
    assert due is not None
    assert due.isoformat() == "2026-03-08T09:00:00+00:00"
    assert weekly.after(NOW, []) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "expected schedule to consist of 5 fields"),
        ("0 9 * *", "expected schedule to consist of 5 fields"),
        ("CRON_TZ=Nowhere/Land 0 9 * * 1", "unknown time zone Nowhere/Land"),
        ("CRON_TZ=../../etc/passwd 0 9 * * 1", "unknown time zone"),
        ("0 9 1 * 1", "expected day of month to be *"),
        ("0 9 * 2 1", "expected month to be *"),
        ("*/5 9 * * 1", "expected minute to be one number from 0 to 59"),
        ("0 9,10 * * 1", "expected hour to be one number from 0 to 23"),
        ("60 9 * * 1", "expected minute"),
        ("0 24 * * 1", "expected hour"),
        ("0 9 * * 8", "is no day of the week"),
        ("0 9 * * xyz", "is no day of the week"),
        ("0 9 * * 5-1", "is empty"),
        ("0 9 * * 1-5/0", "is empty"),
        ("0 9 * * ?", "expected day of week"),
    ],
)
def test_what_is_no_schedule(line: str, reason: str) -> None:
    with pytest.raises(BadSchedule, match=reason.replace("*", r"\*")):
        parse_weekly(line)


def test_what_a_search_says() -> None:
    search = read_search('owner:me status:running has-agent:connected,timeout param:size=big "x y"')
    assert (search.owner, search.name) == ("me", "x y")
    assert search.status is WorkspaceStatus.RUNNING
    assert search.agent_statuses == [AgentStatus.CONNECTED, AgentStatus.TIMEOUT]
    assert search.parameters == [("size", "big")]
    assert (read_search("ann/dev").owner, read_search("ann/dev").name) == ("ann", "dev")
    assert read_search("healthy:true").agent_statuses == [AgentStatus.CONNECTED]
    assert read_search("healthy:false").agent_statuses == [
        AgentStatus.DISCONNECTED,
        AgentStatus.TIMEOUT,
    ]
    assert read_search("param:size").parameters == [("size", None)]
    assert read_search("").ids is None


@pytest.mark.parametrize(
    ("q", "field"),
    [
        ("colour:red", "colour"),
        ("status:flying", "status"),
        ("has-agent:flying", "has-agent"),
        ("healthy:perhaps", "healthy"),
        ("healthy:true has-agent:timeout", "healthy"),
        ("id:7", "id"),
        ("shared_with_group:sales", "shared_with_group"),
        ("last_used_after:yesterday", "last_used_after"),
        ("param:=big", "param"),
        ("name:a name:b", "name"),
        ("a/b/c", "q"),
        ("owner:ann bob/dev", "q"),
        ("name:", "q"),
    ],
)
def test_a_search_that_makes_no_sense_names_the_field(q: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_search(q)
    assert [bad.field for bad in refusal.value.fields] == [field]
