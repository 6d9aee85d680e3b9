"""Connection times: who hangs on which replica, and since when.

``connection_id`` names the line that speaks for the agent: the last one that connected. An older
line that ends later finds another id there and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.agents.model import GONE_AFTER, Moved, Whereabouts
from server.kit.db import Tx

CONNECT: LiteralString = """
    UPDATE workspace_agents
       SET connection_id = %(connection_id)s, connected_replica_id = %(replica_id)s,
           api_version = %(api_version)s, updated_at = %(now)s,
           first_connected_at = coalesce(first_connected_at, %(now)s),
           last_connected_at = greatest(%(now)s, disconnected_at + interval '1 microsecond')
     WHERE id = %(agent_id)s
"""
# Clocks of replicas differ: whatever is later in truth must be later in the row.

DISCONNECT: LiteralString = """
    UPDATE workspace_agents
       SET connection_id = NULL, connected_replica_id = NULL, updated_at = %(now)s,
           disconnected_at = greatest(%(now)s, last_connected_at + interval '1 microsecond')
     WHERE id = %(agent_id)s AND connection_id = %(connection_id)s
"""

BEAT: LiteralString = """
    WITH held AS (
        SELECT id, coalesce(disconnected_at > last_connected_at, false) AS was_gone
          FROM workspace_agents
         WHERE connection_id = ANY(%(connection_ids)s)
         ORDER BY id
           FOR UPDATE
    ), beaten AS (
        UPDATE workspace_agents a
           SET last_connected_at = greatest(%(now)s, disconnected_at + interval '1 microsecond')
          FROM held
         WHERE a.id = held.id
        RETURNING a.id, a.resource_id, held.was_gone
    )
    SELECT beaten.id AS agent_id, w.id AS workspace_id, w.owner_id
      FROM beaten
      JOIN workspace_resources r ON r.id = beaten.resource_id
      JOIN workspace_builds b ON b.job_id = r.job_id
      JOIN workspaces w ON w.id = b.workspace_id
     WHERE beaten.was_gone
"""

SWEEP: LiteralString = """
    WITH gone AS (
        UPDATE workspace_agents
           SET disconnected_at = greatest(%(now)s, last_connected_at + interval '1 microsecond'),
               updated_at = %(now)s
         WHERE connection_id IS NOT NULL AND last_connected_at < %(before)s
           AND (disconnected_at IS NULL OR disconnected_at <= last_connected_at)
        RETURNING id, resource_id
    )
    SELECT gone.id AS agent_id, w.id AS workspace_id, w.owner_id
      FROM gone
      JOIN workspace_resources r ON r.id = gone.resource_id
      JOIN workspace_builds b ON b.job_id = r.job_id
      JOIN workspaces w ON w.id = b.workspace_id
"""

WHEREABOUTS: LiteralString = """
    SELECT connected_replica_id, ssh_host_key, created_at, connection_timeout_seconds,
           first_connected_at, last_connected_at, disconnected_at
      FROM workspace_agents WHERE id = %(agent_id)s
"""

BUILDS_UNDER_WAY: LiteralString = """
    SELECT EXISTS (
        SELECT FROM provisioner_jobs WHERE completed_at IS NULL AND type = 'workspace_build'
    )
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A line that has come up."""

    agent_id: UUID
    connection_id: UUID
    replica_id: UUID
    api_version: str


async def connect(tx: Tx, arrival: Arrival) -> None:
    """Let this line speak for its agent, in place of any other."""
    await tx.run(
        CONNECT,
        {
            "agent_id": arrival.agent_id,
            "connection_id": arrival.connection_id,
            "replica_id": arrival.replica_id,
            "api_version": arrival.api_version,
            "now": tx.now,
        },
    )


async def disconnect(tx: Tx, agent_id: UUID, connection_id: UUID) -> bool:
    """Record that a line ended; return False when a newer one speaks for the agent."""
    args = {"agent_id": agent_id, "connection_id": connection_id, "now": tx.now}
    return await tx.run(DISCONNECT, args) > 0


async def beat(tx: Tx, connection_ids: Sequence[UUID]) -> list[Moved]:
    """Say that these lines are up; return the agents that were taken for gone."""
    return await tx.all(Moved, BEAT, {"connection_ids": list(connection_ids), "now": tx.now})


async def sweep(tx: Tx) -> list[Moved]:
    """Disconnect the agents whose replica has not said for a while that they are there."""
    return await tx.all(Moved, SWEEP, {"before": tx.now - GONE_AFTER, "now": tx.now})


async def whereabouts(tx: Tx, agent_id: UUID) -> Whereabouts | None:
    """Return where an agent's line ends. Who may know is the caller's question."""
    return await tx.one(Whereabouts, WHEREABOUTS, {"agent_id": agent_id})


async def builds_under_way(tx: Tx) -> bool:
    """Tell whether any workspace is being built: its agent may come before its row."""
    return bool(await tx.value(BUILDS_UNDER_WAY))
