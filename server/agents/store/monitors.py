"""Monitors of memory and volumes: their states, and the moves between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from server.agents.model import Monitor, MonitorMoved, State, Watched
from server.kit.db import Tx

MOST_KEPT = 50
"""Moves that are kept of one monitor."""

WANTED: LiteralString = "SELECT resources_monitoring FROM workspace_agents WHERE id = %(agent_id)s"
STATES: LiteralString = """
    SELECT kind, path, state, quiet_until
      FROM workspace_agent_resource_monitors WHERE agent_id = %(agent_id)s
     ORDER BY kind, path
       FOR UPDATE
"""
SET_STATE: LiteralString = """
    INSERT INTO workspace_agent_resource_monitors
           (agent_id, kind, path, threshold, state, quiet_until, updated_at)
    VALUES (%(agent_id)s, %(kind)s, %(path)s, %(threshold)s, %(state)s, %(quiet_until)s, %(now)s)
    ON CONFLICT (agent_id, kind, path) DO UPDATE
       SET threshold = excluded.threshold, state = excluded.state,
           quiet_until = excluded.quiet_until, updated_at = excluded.updated_at
"""
MOVED: LiteralString = """
    INSERT INTO workspace_agent_resource_moves (agent_id, kind, path, state, alert, moved_at)
    VALUES (%(agent_id)s, %(kind)s, %(path)s, %(state)s, %(alert)s, %(now)s)
"""
FORGET: LiteralString = """
    DELETE FROM workspace_agent_resource_moves
     WHERE id IN (SELECT id FROM workspace_agent_resource_moves
                   WHERE agent_id = %(agent_id)s AND kind = %(kind)s AND path = %(path)s
                   ORDER BY id DESC OFFSET %(most)s)
"""


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    path: str
    state: str
    quiet_until: datetime | None


async def wanted(tx: Tx, agent_id: UUID) -> Mapping[str, Any]:
    """Return what the template wants watched, as it is stored."""
    return await tx.value(WANTED, {"agent_id": agent_id}) or {}


async def states(tx: Tx, agent_id: UUID) -> dict[tuple[str, str], Watched]:
    """Return the states by kind and path; nobody else changes them in this transaction."""
    rows = await tx.all(_Row, STATES, {"agent_id": agent_id})
    return {(row.kind, row.path): Watched(State(row.state), row.quiet_until) for row in rows}


async def move(tx: Tx, agent_id: UUID, moves: Sequence[MonitorMoved]) -> None:
    """Write the new states, and that they are new."""
    rows: list[dict[str, Any]] = [
        {
            "agent_id": agent_id,
            **_key(moved.monitor),
            "threshold": moved.monitor.threshold,
            "state": moved.watched.state.value,
            "quiet_until": moved.watched.quiet_until,
            "alert": moved.alert,
            "most": MOST_KEPT,
            "now": tx.now,
        }
        for moved in moves
    ]
    for statement in (SET_STATE, MOVED, FORGET):
        await tx.many(statement, rows)


def _key(monitor: Monitor) -> dict[str, str]:
    return {"kind": monitor.kind, "path": monitor.path}
