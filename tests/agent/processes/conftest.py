"""A registry at work, and its routes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from agent.kit.child import Children
from agent.network.http import Table
from agent.processes import Environment, ProcessRoutes, Registry
from agent.processes.process import Running
from coder_cli.kit.clock import Clock, SystemClock
from coder_cli.sdk.agentapi.http import ChatContext
from coder_cli.sdk.agentapi.processes import StartProcess
from tests.agent.asking import Asking
from tests.agent.control_plane import manifest_of

PATIENCE = 20.0


@dataclass
class House:
    """One agent's processes."""

    registry: Registry
    environment: Environment
    home: Path

    def start(self, command: str, chat: UUID | None = None, **more: object) -> Running:
        """Start a command."""
        return self.registry.start(StartProcess(command, **more), chat)  # pyright: ignore[reportArgumentType]

    async def finish(self, command: str, chat: UUID | None = None, **more: object) -> Running:
        """Run a command to its end."""
        return await ended(self.start(command, chat, **more))

    def asking(self, chat: UUID | None = None) -> Asking:
        """Return who asks its routes, for a chat."""
        table = Table()
        ProcessRoutes(self.registry).mount(table)
        return Asking(table, ChatContext(chat).headers() if chat else {})


async def ended(process: Running) -> Running:
    """Wait until it has ended."""
    async with asyncio.timeout(PATIENCE):
        await process.ended.wait()
    return process


Build = Callable[..., House]


@pytest.fixture
async def build(tmp_path: Path) -> AsyncIterator[Build]:
    """Make registries; they and their processes end with the test."""
    made: list[tuple[Registry, Children, asyncio.Task[None]]] = []
    home = tmp_path / "home"
    home.mkdir()

    def make(clock: Clock | None = None, base: dict[str, str] | None = None) -> House:
        clock = clock or SystemClock()
        children = Children(SystemClock())
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
        environment = Environment(
            env | (base or {}), "token", "/opt/coder/bin/coder", tmp_path / "bin", manifest_of()
        )
        registry = Registry(environment, children, clock)
        made.append((registry, children, asyncio.ensure_future(registry.run())))
        return House(registry, environment, home)

    yield make
    for registry, children, task in made:
        registry.close()
        await task
        await children.end_all()


@pytest.fixture
async def house(build: Build) -> House:
    """A registry on the machine's own clock."""
    made = build()
    await asyncio.sleep(0)  # Its task has begun.
    return made
