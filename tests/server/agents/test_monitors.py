"""Memory and volumes of an agent: what is measured, when an alarm begins, and when it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Method
from server.agents.model import Monitor, State, Watched, configuration, judge
from server.agents.model.monitors import next_state
from server.kit.authz import as_system
from server.kit.db import jsonb
from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows

ME = as_system("test")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OK, NOK = State.OK, State.NOK
MEMORY = Monitor("memory", "", 80)
WANTED: dict[str, Any] = {
    "memory": {"enabled": True, "threshold": 80},
    "volumes": [
        {"path": "/data", "enabled": True, "threshold": 90},
        {"path": "/off", "enabled": False, "threshold": 1},
    ],
}


@pytest.mark.parametrize(
    ("before", "window", "after"),
    [
        (OK, [OK] * 20, OK),
        (OK, [NOK] * 10 + [OK] * 10, NOK),
        (OK, [NOK, OK, OK, OK, OK] * 4, NOK),
        (OK, [NOK] * 3 + [OK] * 17, OK),
        (NOK, [NOK] * 3 + [OK] * 17, NOK),
        (NOK, [OK] * 20, OK),
        (NOK, [OK] * 19 + [None], NOK),
        (OK, [None] * 20, OK),
        (NOK, [], NOK),
        (OK, [NOK, NOK, OK, OK], NOK),
    ],
)
def test_a_window_decides_and_what_lies_between_changes_nothing(
    before: State, window: list[State | None], after: State
) -> None:
    assert next_state(before, window) is after


def point(used: int, volume: int | None = None) -> api.Datapoint:
    volumes = () if volume is None else (api.VolumeUsage("/data", volume, 100),)
    return api.Datapoint(NOW, api.MemoryUsage(used, 100), volumes)


def test_the_threshold_itself_is_too_much() -> None:
    assert judge(MEMORY, Watched(), [point(79)], NOW) is None
    moved = judge(MEMORY, Watched(), [point(80)], NOW)
    assert moved is not None
    assert moved.watched.state is NOK


def test_an_alarm_is_not_told_again_within_half_an_hour() -> None:
    first = judge(MEMORY, Watched(), [point(99)], NOW)
    assert first is not None
    assert first.alert
    over = judge(MEMORY, first.watched, [point(1)], NOW + timedelta(minutes=1))
    assert over is not None
    assert not over.alert
    soon = judge(MEMORY, over.watched, [point(99)], NOW + timedelta(minutes=2))
    assert soon is not None
    assert not soon.alert
    later = judge(MEMORY, over.watched, [point(99)], NOW + timedelta(minutes=31))
    assert later is not None
    assert later.alert


def test_what_was_not_measured_or_has_no_size_says_nothing() -> None:
    nothing = api.Datapoint(NOW, None, (api.VolumeUsage("/data", 0, 0),))
    assert judge(MEMORY, Watched(), [nothing], NOW) is None
    assert judge(Monitor("volume", "/data", 1), Watched(), [nothing], NOW) is None


def test_only_enabled_monitors_are_asked_for() -> None:
    asked = configuration(WANTED)
    assert asked.config == api.MonitoringConfig(20, 10)
    assert asked.memory == api.MemoryMonitor(enabled=True)
    assert asked.volumes == (api.VolumeMonitor("/data", enabled=True),)
    assert configuration({}).memory is None


async def rows(house: House, sql: Any) -> list[dict[str, Any]]:
    async with house.database.tx(ME) as tx:
        return await tx.rows(sql)


async def test_moves_are_kept_and_stays_are_not(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with house.database.tx(ME) as tx:
        await tx.run(
            "UPDATE workspace_agents SET resources_monitoring = %(wanted)s",
            {"wanted": jsonb(WANTED)},
        )
    async with scripted(replica, agent) as line:
        asked = await line.call(Method.MONITORING)
        assert asked["volumes"] == [{"path": "/data", "enabled": True}]
        for used, volume in ((10, 10), (95, 10), (95, 95), (10, 95)):
            window = api.Usage(tuple(point(used, volume) for _ in range(20)))
            assert await line.call(Method.USAGE, window) == {}
        too_many = api.Usage(tuple(point(1) for _ in range(21)))
        assert isinstance(await line.call(Method.USAGE, too_many), api.Failure)
    moves = await rows(house, "SELECT * FROM workspace_agent_resource_moves ORDER BY id")
    assert [(each["kind"], each["path"], each["state"], each["alert"]) for each in moves] == [
        ("memory", "", "NOK", True),
        ("volume", "/data", "NOK", True),
        ("memory", "", "OK", False),
    ]
    states = await rows(
        house, "SELECT kind, state FROM workspace_agent_resource_monitors ORDER BY kind"
    )
    assert states == [{"kind": "memory", "state": "OK"}, {"kind": "volume", "state": "NOK"}]


async def test_without_monitors_nothing_is_kept(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        asked = await line.call(Method.MONITORING)
        assert (asked["memory"], asked["volumes"]) == (None, [])
        await line.call(Method.USAGE, api.Usage((point(99, 99),)))
    assert await rows(house, "SELECT * FROM workspace_agent_resource_monitors") == []
