"""Statistics: sessions by kind, and a server that refuses once."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from agent.daemon.watchers import REFUSED_INTERVAL, Stats
from agent.network import Traffic
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk whose line is up, at an agent with sessions of every kind."""
    desk = Desk()
    streams: Any = SimpleNamespace(count=4, take_traffic=Traffic)
    ssh: Any = SimpleNamespace(sessions={"ssh": 1, "vscode": 2, "jetbrains": 3})
    terminals: Any = SimpleNamespace(count=5)
    stats = Stats(desk.line, desk.clock, streams, ssh, terminals)
    tasks = [asyncio.ensure_future(run()) for run in (desk.line.run, stats.run)]
    await settle()
    yield desk
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def sessions(message: Any) -> list[int]:
    names = ("ssh", "vscode", "jetbrains", "reconnecting_pty")
    return [message["params"][f"session_count_{name}"] for name in names]


async def test_sessions_are_counted_by_kind_as_often_as_the_server_wants(desk: Desk) -> None:
    first = await desk.hear()
    assert sessions(first) == [0, 0, 0, 0]
    await desk.answer(first, {"report_interval_ms": 3000})
    for _ in range(2):
        assert desk.end is not None
        assert desk.end.inbox.empty()
        await desk.clock.wake_within(3)
        message = await desk.hear()
        assert sessions(message) == [1, 2, 3, 5]
        assert message["params"]["connection_count"] == 4
        await desk.answer(message, {"report_interval_ms": 3000})


async def test_a_server_that_refuses_statistics_once_is_told_them_again(desk: Desk) -> None:
    """Or a workspace in use would look idle for ever after, and be stopped."""
    await desk.refuse(await desk.hear(), "internal error")
    await desk.clock.advance(REFUSED_INTERVAL)
    assert sessions(await desk.hear()) == [1, 2, 3, 5]
