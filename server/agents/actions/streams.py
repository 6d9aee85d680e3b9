"""Byte streams into a workspace: opened for who may, and cut when they no longer may."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from coder_cli.sdk.agentapi import StreamClose
from server.agents import policy
from server.agents.actions.switchboard import Switchboard
from server.agents.errors import NotConnected
from server.agents.model import action_for
from server.agents.store import lines as store
from server.identity import access_topic
from server.kit.authz import Actor
from server.kit.db import Tx
from server.kit.errors import NotFound, Unauthorized, Unavailable
from server.network import Channel, Closed, Stream, Unreachable
from server.provisioning import AgentStatus
from server.workspaces import AgentIdentity
from server.workspaces import agent as find_agent
from server.workspaces import topic as workspace_topic

log = structlog.get_logger()

LOOK_EVERY = 10.0
"""Seconds between looks at a right that nobody said has changed."""

WhoAsks = Callable[[], Awaitable[Actor]]
"""Asks again who is at the other end. Raises ``Unauthorized``."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who wants to reach a port of an agent."""

    actor: Actor
    agent_id: UUID
    port: int
    ask_again: WhoAsks


@dataclass(frozen=True, slots=True)
class Dialer:
    """Streams for the server's own rooms. Whoever dials has asked who may."""

    board: Switchboard

    @asynccontextmanager
    async def open(self, agent_id: UUID, port: int) -> AsyncGenerator[Stream]:
        """Open a stream to ``port`` of an agent; close it at the end.

        Raises:
            NotFound: there is no such agent, or it is not connected; the message says which.
            Unreachable: it did not answer.
        """
        async with self.board.database.tx(self.board.actor) as tx:
            identity = await find_agent(tx, agent_id)
            if identity is None:
                raise NotFound
            holder = await _holder(tx, identity)
        stream = await self.board.relay.open(agent_id, port, holder)
        try:
            yield stream
        finally:
            await stream.close()


async def serve(
    board: Switchboard,
    visit: Visit,
    accept: Callable[[], Awaitable[Channel]],
    *,
    first: bytes = b"",
) -> Closed:
    """Join a client to a port of an agent; ``accept`` is called when the way is open.

    The agent hears ``first`` before anything that the client says.

    Raises:
        NotFound: the actor may not see the agent, or the agent is not connected.
        Forbidden: it may see it, but not connect to it.
        Invalid: nobody may connect to this port.
        Unreachable: the agent did not answer.
    """
    action_for(visit.port)
    async with board.database.tx(visit.actor) as tx:
        identity = await _find(tx, visit)
        if identity is None:
            raise NotFound
        policy.require_connect(visit.actor, identity, visit.port)
        holder = await _holder(tx, identity)
    stream = await board.relay.open(visit.agent_id, visit.port, holder)
    try:
        await _say(stream, first)
        client = await accept()
        ended = await board.relay.join(client, stream, _until_lost(board, visit, identity))
    finally:
        await stream.close()
    log.debug(
        "stream ended", agent=str(visit.agent_id), port=visit.port, code=ended.code,
        reason=ended.reason,
    )  # fmt: skip
    return ended


async def _say(stream: Stream, first: bytes) -> None:
    try:
        await stream.write(first)
    except Closed as closed:
        words = closed.reason or "The workspace's line broke; try again."
        raise Unreachable(words) from closed


async def _find(tx: Tx, visit: Visit) -> AgentIdentity | None:
    """Return the agent if the actor may see it, or connect to it without seeing it."""
    # A token's scope may be application_connect alone.
    seen = await find_agent(tx, visit.agent_id)
    return seen or await find_agent(tx, visit.agent_id, action_for(visit.port))


async def _holder(tx: Tx, identity: AgentIdentity) -> UUID | None:
    """Return the replica that holds the agent's line."""
    place = await store.whereabouts(tx, identity.agent_id)
    if place is None:
        raise NotFound
    status = place.status(tx.now)
    if not identity.latest or status is not AgentStatus.CONNECTED:
        word = status.value if identity.latest else "the workspace has a newer build"
        raise NotConnected(identity.agent_name, identity.workspace_name, word)
    return place.connected_replica_id


async def _until_lost(board: Switchboard, visit: Visit, identity: AgentIdentity) -> Closed:
    """Return when, and why, the stream must be cut."""
    topics = (access_topic(visit.actor.user_id), workspace_topic(identity.workspace_id))
    with board.pubsub.bell(*topics) as bell:
        while True:
            await bell.wait(timeout=LOOK_EVERY)
            lost = await _lost(board, visit)
            if lost is not None:
                return lost


async def _lost(board: Switchboard, visit: Visit) -> Closed | None:
    try:
        actor = await visit.ask_again()
        async with board.database.tx(actor) as tx:
            identity = await _find(tx, visit)
            place = await store.whereabouts(tx, visit.agent_id)
    except Unauthorized as error:
        return Closed(StreamClose.FORBIDDEN, error.message)
    except Unavailable:
        # No answer is no reason: the next look is seconds away.
        return None
    if identity is None or not policy.may_connect(actor, identity, visit.port):
        return Closed(StreamClose.FORBIDDEN, "You may no longer connect to this workspace.")
    if not identity.latest:
        return Closed(StreamClose.FORBIDDEN, "The workspace has a newer build.")
    if place is None or place.lost_for_good(board.clock.now()):
        return Closed(StreamClose.UNREACHABLE, "The workspace agent is disconnected.")
    return None
