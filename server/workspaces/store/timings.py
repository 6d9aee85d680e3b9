"""How long agents took: to connect, and for their scripts."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from coder_cli.sdk.builds import AgentConnectionTiming, AgentScriptTiming
from server.kit.db import Tx

SCRIPTS: LiteralString = """
    SELECT s.started_at, s.ended_at, s.exit_code, s.stage, s.status, p.display_name,
           a.id AS workspace_agent_id, a.name AS workspace_agent_name
      FROM workspace_agent_script_timings s
      JOIN workspace_agent_scripts p ON p.id = s.script_id
      JOIN workspace_agents a ON a.id = p.workspace_agent_id
      JOIN workspace_resources r ON r.id = a.resource_id
     WHERE r.job_id = %(job_id)s
     ORDER BY s.started_at, p.display_name
"""

CONNECTIONS: LiteralString = """
    SELECT a.created_at AS started_at, a.first_connected_at AS ended_at,
           a.id AS workspace_agent_id, a.name AS workspace_agent_name
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
     WHERE r.job_id = %(job_id)s AND a.first_connected_at IS NOT NULL
     ORDER BY a.first_connected_at, a.name
"""


@dataclass(frozen=True, slots=True)
class _Script:
    started_at: datetime
    ended_at: datetime
    exit_code: int
    stage: str
    status: str
    display_name: str
    workspace_agent_id: UUID
    workspace_agent_name: str


@dataclass(frozen=True, slots=True)
class _Connection:
    started_at: datetime
    ended_at: datetime
    workspace_agent_id: UUID
    workspace_agent_name: str


async def scripts(tx: Tx, job_id: UUID) -> list[AgentScriptTiming]:
    """Return the runs of the scripts of a build's agents, in order."""
    rows = await tx.all(_Script, SCRIPTS, {"job_id": job_id})
    return [AgentScriptTiming.model_validate(row, from_attributes=True) for row in rows]


async def connections(tx: Tx, job_id: UUID) -> list[AgentConnectionTiming]:
    """Return how long each agent of a build took until it first connected."""
    rows = await tx.all(_Connection, CONNECTIONS, {"job_id": job_id})
    return [AgentConnectionTiming.model_validate(row, from_attributes=True) for row in rows]
