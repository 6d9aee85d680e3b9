"""An agent of a workspace made in advance hears that it is somebody's now."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx

from server.kit.authz import as_system
from server.workspaces import PrebuildClaimed, WorkspaceChanged
from tests.server.agents.house import House, Replica
from tests.server.agents.rows import AgentRows, add_build

ME = as_system("test")


@asynccontextmanager
async def waiting(replica: Replica, agent: AgentRows) -> AsyncGenerator[AsyncIterator[str]]:
    """Yield the lines of the events that the agent waits for, once it is heard."""
    url = f"{replica.url}/workspaceagents/me/reinit"
    headers = {"Coder-Session-Token": agent.token}
    async with (
        asyncio.timeout(20),
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: ping"
        yield lines


async def test_a_claim_is_told_to_the_agent_that_waits_and_pings_are_not_it(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    other = await house.agent(name="other")
    async with waiting(replica, agent) as lines:
        async with house.database.tx(ME) as tx:
            changed = WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=house.alice)
            await tx.announce(changed)
            await tx.announce(PrebuildClaimed(workspace_id=other.workspace_id))
        async with house.database.tx(ME) as tx:
            await tx.announce(PrebuildClaimed(workspace_id=agent.workspace_id))
        rest = [line async for line in lines if line]
    assert set(rest[:-2]) <= {"data: null", "event: ping"}
    assert rest[-2] == "event: data"
    word = json.loads(rest[-1].removeprefix("data: "))
    assert word == {"workspaceID": str(agent.workspace_id), "reason": "prebuild_claimed"}


async def test_a_claim_that_is_told_a_moment_after_its_build_still_arrives(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with waiting(replica, agent) as lines:
        await add_build(house.database, agent)
        async with house.database.tx(ME) as tx:
            changed = WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=house.alice)
            await tx.announce(changed)
        async with house.database.tx(ME) as tx:
            await tx.announce(PrebuildClaimed(workspace_id=agent.workspace_id))
        rest = [line async for line in lines if line]
    assert "prebuild_claimed" in rest[-1]
