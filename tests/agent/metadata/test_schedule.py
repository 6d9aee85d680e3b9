"""Which values are due: intervals, once, in flight, and templates that change."""

import pytest

from agent.metadata.schedule import Schedule, time_limit
from coder_cli.sdk.agentapi import MetadataSource


def source(key: str, interval: float = 0, **more: float) -> MetadataSource:
    return MetadataSource(key, "true", interval=interval, **more)  # pyright: ignore[reportArgumentType] # numbers only


def due(schedule: Schedule, now: float, *, ends: bool = True) -> list[str]:
    keys = [each.key for each in schedule.due(now)]
    for key in keys if ends else ():
        schedule.ended(key)
    return keys


def test_each_key_runs_at_its_own_interval() -> None:
    schedule = Schedule()
    schedule.know([source("second", 1), source("minute", 60)])
    ran = {now: due(schedule, now) for now in range(121)}
    assert ran[0] == ["second", "minute"]
    assert all("second" in keys for keys in ran.values())
    assert [now for now, keys in ran.items() if "minute" in keys] == [0, 60, 120]


def test_a_tick_that_comes_a_little_early_counts() -> None:
    schedule = Schedule()
    schedule.know([source("second", 1)])
    assert due(schedule, 0.0) == due(schedule, 0.999) == ["second"]


def test_interval_zero_is_collected_once() -> None:
    schedule = Schedule()
    schedule.know([source("once")])
    assert not schedule.finished
    assert due(schedule, 0) == ["once"]
    assert due(schedule, 1000) == []
    assert schedule.finished


def test_a_key_already_in_flight_is_skipped() -> None:
    schedule = Schedule()
    schedule.know([source("slow", 1)])
    assert due(schedule, 0, ends=False) == ["slow"]
    assert due(schedule, 5) == []
    schedule.ended("slow")
    assert due(schedule, 6) == ["slow"]


def test_a_new_manifest_runs_what_is_new_or_changed_and_keeps_the_times_of_the_rest() -> None:
    schedule = Schedule()
    schedule.know([source("kept", 60), source("changed", 60), source("gone", 60)])
    due(schedule, 0)
    schedule.know([source("kept", 60), source("changed", 30), source("new", 60)])
    assert due(schedule, 1) == ["changed", "new"]


def test_nothing_wanted_is_finished() -> None:
    assert Schedule().finished


@pytest.mark.parametrize(
    ("timeout", "interval", "limit"), [(2, 10, 2), (0, 10, 10), (0, 0, 3), (7, 0, 7)]
)
def test_a_run_may_take_its_timeout_else_its_interval_else_three_seconds(
    timeout: float, interval: float, limit: float
) -> None:
    assert time_limit(source("key", interval, timeout=timeout)) == limit
