"""Memory and volumes: windows, what cannot be measured, and where the numbers come from."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.metadata.memory import memory
from agent.metadata.usage import ResourceMonitor, SystemGauge
from coder_cli.sdk.agentapi import MemoryUsage, VolumeUsage
from tests.agent.metadata.conftest import heard
from tests.agent.upstream.conftest import Desk

WANTED: dict[str, Any] = {
    "config": {"num_datapoints": 3, "collection_interval_seconds": 10},
    "memory": {"enabled": True},
    "volumes": [{"path": "/data", "enabled": True}, {"path": "/off", "enabled": False}],
}


class Gauge:
    """Tells what the test wants."""

    def __init__(self) -> None:
        self.used = 0
        self.hangs = threading.Event()
        self.hangs.set()

    def memory(self) -> MemoryUsage:
        self.used += 1
        if self.used == 2:
            raise OSError("no")
        return MemoryUsage(self.used, 100)

    def volume(self, path: str) -> VolumeUsage:
        self.hangs.wait(20)
        return VolumeUsage(path, 5, 10)


@pytest.fixture
def gauge() -> Gauge:
    return Gauge()


@pytest.fixture
async def monitor(desk: Desk, gauge: Gauge) -> AsyncIterator[ResourceMonitor]:
    monitor = ResourceMonitor(desk.line, desk.clock, gauge)
    task = asyncio.ensure_future(monitor.run())
    yield monitor
    task.cancel()
    await asyncio.wait({task})


async def test_the_whole_window_is_told_once_it_is_full(
    desk: Desk, monitor: ResourceMonitor
) -> None:
    monitor.refresh()
    asked = await desk.hear()
    assert asked["method"] == "resources_monitoring_configuration"
    await desk.answer(asked, WANTED)
    told = await heard(desk)
    assert told["method"] == "push_resources_monitoring_usage"
    points = told["params"]["datapoints"]
    volume = {"volume": "/data", "used": 5, "total": 10}
    assert [point["memory"] for point in points] == [
        {"used": 1, "total": 100},
        None,
        {"used": 3, "total": 100},
    ]
    assert [point["volumes"] for point in points] == [[volume]] * 3
    await desk.answer(told, {})
    later = (await heard(desk))["params"]["datapoints"]
    assert later[:2] == points[1:]


async def test_what_is_wanted_is_asked_again_on_each_line(
    desk: Desk, monitor: ResourceMonitor
) -> None:
    for _ in range(2):
        monitor.refresh()
        asked = await heard(desk)
        assert asked["method"] == "resources_monitoring_configuration"
        await desk.answer(asked, WANTED)


async def test_without_monitors_nothing_is_measured(
    desk: Desk, monitor: ResourceMonitor, gauge: Gauge
) -> None:
    monitor.refresh()
    await desk.answer(await desk.hear(), {**WANTED, "memory": None, "volumes": []})
    await desk.clock.advance(100)
    assert gauge.used == 0


async def test_a_server_that_knows_no_monitors_is_left_in_peace(
    desk: Desk, monitor: ResourceMonitor, gauge: Gauge
) -> None:
    monitor.refresh()
    await desk.refuse(await desk.hear(), "unknown method")
    await desk.clock.advance(100)
    assert (gauge.used, desk.dials) == (0, 1)


async def test_a_volume_that_does_not_answer_is_left_out(
    desk: Desk, monitor: ResourceMonitor, gauge: Gauge
) -> None:
    gauge.hangs.clear()
    monitor.refresh()
    await desk.answer(await desk.hear(), WANTED)
    told = await heard(desk)
    gauge.hangs.set()
    assert [point["volumes"] for point in told["params"]["datapoints"]] == [[], [], []]


def test_a_real_volume_is_measured(tmp_path: Path) -> None:
    found = SystemGauge().volume(str(tmp_path))
    assert 0 <= found.used <= found.total
    assert found.total > 0


def test_the_machines_memory_is_measured() -> None:
    found = SystemGauge().memory()
    assert 0 < found.used < found.total


@pytest.mark.parametrize(
    ("files", "used", "total"),
    [
        (
            {
                "memory.max": "1000",
                "memory.current": "600",
                "memory.stat": "anon 1\ninactive_file 100\n",
            },
            500,
            1000,
        ),
        ({"memory.max": "max", "memory.current": "600"}, 7, 8000),
        ({"memory.max": "9223372036854771712", "memory.current": "600"}, 7, 8000),
        (
            {
                "memory/memory.limit_in_bytes": "2000",
                "memory/memory.usage_in_bytes": "600",
                "memory/memory.stat": "total_inactive_file 50\n",
            },
            550,
            2000,
        ),
        ({}, 7, 8000),
    ],
)
def test_a_containers_limit_counts_where_it_has_one(
    tmp_path: Path, files: dict[str, str], used: int, total: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory(tmp_path, lambda: MemoryUsage(7, 8000)) == MemoryUsage(used, total)
