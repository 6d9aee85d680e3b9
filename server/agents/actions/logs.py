"""Logs of agents: taken in, and followed."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from coder_cli.sdk.agents import WorkspaceAgentLog, WorkspaceAgentLogSource
from server.agents import convert
from server.agents.actions.switchboard import Switchboard
from server.agents.events import LogsWritten, logs_topic
from server.agents.model import Line, LogRange, clip, fitting
from server.agents.store import logs as store
from server.kit.authz import Actor
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.workspaces import agent as find_agent
from server.workspaces import topic as workspace_topic

EXTERNAL = UUID("3b579bf4-1ed8-4b99-87a8-e9a1e3410410")
"""The source of lines whose writer did not say who it is."""
_NOBODY = UUID(int=0)
LOOK_EVERY = 10.0
MAX_SOURCE_NAME = 127


async def write(tx: Tx, agent_id: UUID, source_id: UUID, lines: Sequence[Line]) -> bool:
    """Keep lines of an agent; return False when not all of them fit any more."""
    fill = await store.lock_fill(tx, agent_id)
    if fill is None or fill.logs_overflowed:
        return False
    kept, length, exceeded = fitting(lines, fill.logs_length)
    if kept:
        source_id = EXTERNAL if source_id == _NOBODY else source_id
        # A source that nobody announced is kept under a name that says so: its lines are worth it.
        await store.add_source(tx, agent_id, source_id, "External", "/emojis/1f310.png")
        await store.append(tx, agent_id, source_id, kept)
    await store.set_fill(tx, agent_id, store.Fill(length, exceeded))
    await tx.announce(LogsWritten(agent_id=agent_id))
    return not exceeded


async def name_source(
    tx: Tx, agent_id: UUID, source_id: UUID, name: str, icon: str
) -> WorkspaceAgentLogSource:
    """Let somebody outside write lines under a name; naming it again changes nothing."""
    await store.add_source(tx, agent_id, source_id, clip(name, MAX_SOURCE_NAME), clip(icon))
    found = await store.source(tx, agent_id, source_id)
    if found is None:
        raise NotFound
    return convert.source(found)


async def read(tx: Tx, agent_id: UUID, wanted: LogRange) -> list[WorkspaceAgentLog]:
    """Return lines of an agent that the actor may see.

    Raises:
        NotFound: it may not, or there is no such agent.
    """
    if await find_agent(tx, agent_id) is None:
        raise NotFound
    return convert.logs(await store.between(tx, agent_id, wanted))


async def follow(
    board: Switchboard, actor: Actor, agent_id: UUID, wanted: LogRange
) -> AsyncGenerator[list[WorkspaceAgentLog]]:
    """Yield what is there, then what comes, until a newer build replaces the agent.

    Raises:
        NotFound: the actor may not see the agent, or may no longer.
    """
    async with board.database.tx(actor) as tx:
        identity = await find_agent(tx, agent_id)
        if identity is None:
            raise NotFound
    topics = (logs_topic(agent_id), workspace_topic(identity.workspace_id))
    after = wanted.after
    with board.pubsub.bell(*topics) as bell:
        while True:
            async with board.database.tx(actor) as tx:
                lines = await read(tx, agent_id, LogRange(after, wanted.before))
                identity = await find_agent(tx, agent_id) or identity
            if lines:
                after = lines[-1].id
                yield lines
            elif identity.latest:
                await bell.wait(timeout=LOOK_EVERY)
            else:
                return
