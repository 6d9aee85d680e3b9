"""Processes and their groups."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from agent.kit.child import Child, Children, Launch, within
from coder_cli.kit.clock import SystemClock
from tests.agent.waiting import is_alive, until
from tests.support.clock import FakeClock

ENV = {"PATH": "/usr/bin:/bin"}


def _launch(script: str) -> Launch:
    return Launch(["/bin/sh", "-c", script], ENV, "/")


async def test_the_return_code_is_the_process_s() -> None:
    assert await Child(_launch("exit 7")).wait() == 7
    assert await Child(_launch("kill -TERM $$")).wait() == -signal.SIGTERM


async def test_whoever_waits_late_or_listens_hears_the_end() -> None:
    child = Child(_launch("true"))
    calls: list[int | None] = []
    child.on_exit(lambda: calls.append(child.returncode))
    await child.wait()
    assert await child.wait() == 0
    assert calls == [0]


async def test_systems_without_process_descriptors_are_served_by_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert await Child(_launch("exit 3")).wait() == 3


async def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        Child(Launch(["/no/such/program"], ENV, "/"))


async def test_the_whole_group_gets_the_signal(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = Child(_launch(f"sleep 600 & echo $! >{pid_file}; wait"))
    await until(lambda: pid_file.exists() and pid_file.read_text())
    child.signal(signal.SIGTERM)
    assert await child.wait() == -signal.SIGTERM
    grandchild = int(pid_file.read_text())
    await until(lambda: not is_alive(grandchild))
    child.signal(signal.SIGTERM)  # Nobody is left, and that is fine.


async def test_who_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    clock = FakeClock()
    on = tmp_path / "on"
    child = Child(_launch(f"trap '' HUP; touch {on}; while :; do sleep 0.1; done"))
    await until(on.exists)
    ending = asyncio.ensure_future(child.end(signal.SIGHUP, clock, grace=5))
    await clock.advance(4.9)
    assert child.returncode is None
    await clock.advance(0.2)
    await ending
    assert child.returncode == -signal.SIGKILL


async def test_children_are_known_while_they_live_and_ended_together() -> None:
    children = Children(SystemClock())
    first, second = children.start(_launch("sleep 600")), children.start(_launch("sleep 600"))
    assert children.pids == {first.pid, second.pid}
    await children.end_all()
    assert children.pids == frozenset()
    assert first.returncode == second.returncode == -signal.SIGHUP


async def test_within_says_whether_it_came_in_time() -> None:
    clock = FakeClock()
    event = asyncio.Event()
    late = asyncio.ensure_future(within(event.wait(), 2, clock))
    await clock.advance(2)
    assert await late is False
    event.set()
    assert await within(event.wait(), 2, clock) is True
