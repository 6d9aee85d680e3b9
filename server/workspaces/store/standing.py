"""What chats ask of a workspace: two statements, whatever it holds."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from server.kit.authz import Action, Kind
from server.kit.db import Tx
from server.workspaces.model.standing import StandingAgent, StandingBuild, TemplateUse
from server.workspaces.store.workspaces import REACHED

BUILD: LiteralString = f"""
    SELECT w.id AS workspace_id, w.name AS workspace_name, w.owner_id, w.organization_id,
           w.template_id, w.deleted, w.dormant_at IS NOT NULL AS dormant, w.user_acl, w.group_acl,
           b.id AS build_id, b.job_id, b.transition, j.error AS job_error,
           CASE WHEN j.completed_at IS NOT NULL THEN
                     CASE WHEN j.error <> '' THEN 'failed'
                          WHEN j.canceled_at IS NOT NULL THEN 'canceled' ELSE 'succeeded' END
                WHEN j.canceled_at IS NOT NULL THEN 'canceling'
                WHEN j.started_at IS NULL THEN 'pending' ELSE 'running' END AS job_state
      FROM workspaces w
      JOIN workspace_builds b ON b.workspace_id = w.id
      JOIN provisioner_jobs j ON j.id = b.job_id
     WHERE w.id = %(id)s AND {REACHED}
     ORDER BY b.build_number DESC
     LIMIT 1
"""

AGENTS: LiteralString = """
    SELECT a.id, a.name, r.type = 'coder_external_agent' AS external, a.operating_system,
           a.directory, a.expanded_directory, a.lifecycle_state, a.created_at,
           a.connection_timeout_seconds, a.first_connected_at, a.last_connected_at,
           a.disconnected_at
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
     WHERE r.job_id = %(job_id)s AND r.transition = 'start' AND a.parent_id IS NULL
     ORDER BY a.position, a.name
"""

USES: LiteralString = """
    SELECT template_id, count(*) FILTER (WHERE NOT deleted) AS active,
           count(*) FILTER (WHERE deleted) AS deleted, max(last_used_at) AS last_used_at
      FROM workspaces
     WHERE owner_id = %(owner_id)s AND template_id = ANY(%(templates)s)
     GROUP BY template_id
"""


async def build(tx: Tx, workspace_id: UUID) -> StandingBuild | None:
    """Return a workspace with its latest build if the actor may see it."""
    reach = tx.actor.reach(Action.READ, Kind.WORKSPACE).args()
    return await tx.one(StandingBuild, BUILD, {"id": workspace_id, **reach})


async def agents(tx: Tx, job_id: UUID) -> list[StandingAgent]:
    """Return the agents that a build made, in the order of its resources."""
    return await tx.all(StandingAgent, AGENTS, {"job_id": job_id})


async def uses(tx: Tx, owner_id: UUID, templates: Sequence[UUID]) -> list[TemplateUse]:
    """Return how an owner has used some templates; those never used are out."""
    args = {"owner_id": owner_id, "templates": list(templates)}
    return await tx.all(TemplateUse, USES, args) if templates else []
