"""A control plane, and an agent of the test's own that is connected to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from agent.daemon import Agent, Settings
from coder_cli.kit.clock import Clock, SystemClock
from coder_cli.sdk.agentidentity import StaticToken
from tests.agent.control_plane import TOKEN, ControlPlane


@dataclass
class Running:
    """An agent at work."""

    agent: Agent
    task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """Let it end in good order."""
        self.agent.stop()
        async with asyncio.timeout(30):
            await self.task


@pytest.fixture
async def plane() -> AsyncIterator[ControlPlane]:
    """A control plane that listens."""
    plane = ControlPlane()
    await plane.start()
    yield plane
    await plane.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def settings(plane: ControlPlane, tmp_path: Path, home: Path) -> Settings:
    """What the agent of this test is started with."""
    return Settings(
        url=plane.url,
        tokens=StaticToken(TOKEN),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"},
        executable="/opt/coder/bin/coder",
        log_dir=tmp_path / "logs",
        script_data_dir=tmp_path / "data",
    )


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Start agents; they are stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(clock: Clock | None = None, **changes: Any) -> Running:
            agent = Agent(replace(settings, **changes), clock or SystemClock())
            running = Running(agent, asyncio.ensure_future(agent.run()))
            stack.push_async_callback(running.stop)
            return running

        yield start
