"""A line whose server is the test itself, and processes that it may start."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agent.kit.child import Child, Children, Launch
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk whose line is up."""
    desk = Desk()
    task = asyncio.ensure_future(desk.line.run())
    await settle()
    yield desk
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
async def start(desk: Desk) -> AsyncIterator[Callable[[str, int], Child]]:
    """Start a script whose output goes to a descriptor."""
    children = Children(desk.clock)

    def start(script: str, output: int) -> Child:
        env = dict(os.environ)
        launch = Launch(["/bin/sh", "-c", script], env, "/", stdout=output, stderr=output)
        return children.start(launch)

    yield start
    ending = asyncio.ensure_future(children.end_all())
    await desk.clock.advance(60)
    await ending


async def heard(desk: Desk) -> Any:
    """Let time pass until the agent says something; return it."""
    hearing = asyncio.ensure_future(desk.hear())
    while not hearing.done():
        await desk.clock.advance(1)
        # Scripts run in the real world, which rings no bell here.
        await asyncio.wait({hearing}, timeout=0.01)
    return hearing.result()
