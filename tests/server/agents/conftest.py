"""Fixtures of this room: a deployment, its first replica, and an agent's rows."""

from collections.abc import AsyncGenerator

import pytest

from tests.server.agents.house import House, Replica, opened
from tests.server.agents.rows import AgentRows


@pytest.fixture
async def house(dsn: str) -> AsyncGenerator[House]:
    """A deployment in which Alice is a member; without replicas."""
    async with opened(dsn) as house:
        yield house


@pytest.fixture
async def replica(house: House) -> Replica:
    """A running server."""
    return await house.replica()


@pytest.fixture
async def agent(house: House) -> AgentRows:
    """An agent of a workspace of Alice's."""
    return await house.agent()
