"""From an agent to its workspace, and the agents that run outside of it."""

from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.kit.authz import Action, Kind
from server.kit.db import Tx
from server.workspaces.model import AgentIdentity
from server.workspaces.store.workspaces import REACHED

IDENTITY: LiteralString = """
    SELECT a.id AS agent_id, a.name AS agent_name, a.parent_id,
           w.id AS workspace_id, w.name AS workspace_name,
           w.owner_id, u.username AS owner_name, w.organization_id, w.template_id,
           b.id AS build_id, b.build_number, b.transition,
           w.dormant_at IS NOT NULL AS dormant, w.deleted, w.user_acl, w.group_acl,
           NOT w.deleted AND (
               b.build_number = l.build_number
               OR (b.transition = 'start' AND b.build_number = l.build_number - 1
                   AND l.transition IN ('stop', 'delete') AND l.completed_at IS NULL)
           ) AS latest
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
      JOIN workspace_builds b ON b.job_id = r.job_id
      JOIN workspaces w ON w.id = b.workspace_id
      JOIN users u ON u.id = w.owner_id
     CROSS JOIN LATERAL (
           SELECT n.build_number, n.transition, j.completed_at
             FROM workspace_builds n
             JOIN provisioner_jobs j ON j.id = n.job_id
            WHERE n.workspace_id = w.id
            ORDER BY n.build_number DESC
            LIMIT 1
           ) l
"""

BY_TOKEN: LiteralString = f"""
    {IDENTITY}
     WHERE a.auth_token = %(hashed)s
     ORDER BY b.build_number DESC, a.created_at DESC
     LIMIT 1
"""

BY_ID: LiteralString = f"""
    {IDENTITY}
     WHERE a.id = %(id)s AND {REACHED}
"""

EXTERNAL: LiteralString = """
    SELECT a.operating_system, a.architecture, a.auth_token, a.auth_instance_id
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
      JOIN workspace_builds b ON b.job_id = r.job_id
     WHERE b.id = %(build_id)s AND a.name = %(name)s AND r.type = 'coder_external_agent'
"""


@dataclass(frozen=True, slots=True)
class ExternalAgent:
    """An agent that somebody starts by hand."""

    operating_system: str
    architecture: str
    auth_token: bytes
    """Its SHA-256."""
    auth_instance_id: str | None


async def agent_by_token(tx: Tx, hashed: bytes) -> AgentIdentity | None:
    """Return whose token has this SHA-256, or None.

    Terraform keeps an agent's token from build to build while the database gives each build's
    agent a row of its own: the newest one is meant. Whether it may still connect is ``latest``.
    """
    return await tx.one(AgentIdentity, BY_TOKEN, {"hashed": hashed})


async def agent(tx: Tx, agent_id: UUID, action: Action = Action.READ) -> AgentIdentity | None:
    """Return an agent if the actor may do ``action`` to its workspace, else None.

    A dormant workspace is seen like any other, but lets nobody in.
    """
    reach = tx.actor.reach(action, Kind.WORKSPACE)
    found = await tx.one(AgentIdentity, BY_ID, {"id": agent_id, **reach.args()})
    if found is None or action is Action.READ or tx.actor.can(action, found.object):
        return found
    return None


async def external_agent(tx: Tx, build_id: UUID, name: str) -> ExternalAgent | None:
    """Return the external agent of that name of a build that the actor was shown."""
    return await tx.one(ExternalAgent, EXTERNAL, {"build_id": build_id, "name": name})
