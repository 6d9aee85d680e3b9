"""Many workspaces that are in use, in two statements however many they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

# Replicas that tell of the same workspace at once do not wait for each other: one of them does it.
USE: LiteralString = """
    WITH free AS (SELECT id FROM workspaces WHERE id = ANY(%(ids)s) AND NOT deleted
                   ORDER BY id FOR UPDATE SKIP LOCKED),
         used AS (UPDATE workspaces w SET last_used_at = %(now)s FROM free WHERE w.id = free.id
                  RETURNING w.id, w.owner_id, w.template_id),
         counted AS (
            INSERT INTO template_usage (template_id, user_id, hour)
            SELECT DISTINCT template_id, owner_id, date_trunc('hour', %(now)s::timestamptz)
              FROM used
            ON CONFLICT DO NOTHING)
    SELECT u.id, u.owner_id, b.id AS build_id, b.deadline, b.max_deadline, t.activity_bump_ms
      FROM used u
      JOIN templates t ON t.id = u.template_id
      JOIN LATERAL (SELECT * FROM workspace_builds l WHERE l.workspace_id = u.id
                     ORDER BY l.build_number DESC LIMIT 1) b ON true
      JOIN provisioner_jobs j ON j.id = b.job_id
     WHERE b.transition = 'start' AND b.deadline IS NOT NULL AND j.completed_at IS NOT NULL
"""
PUT_OFF: LiteralString = """
    UPDATE workspace_builds b SET deadline = given.deadline, updated_at = %(now)s
      FROM unnest(%(ids)s::uuid[], %(deadlines)s::timestamptz[]) AS given (id, deadline)
     WHERE b.id = given.id
"""


@dataclass(frozen=True, slots=True)
class Used:
    """A workspace that runs, and when it would stop."""

    id: UUID
    owner_id: UUID
    build_id: UUID
    deadline: datetime
    max_deadline: datetime | None
    activity_bump_ms: int


async def use(tx: Tx, workspace_ids: Sequence[UUID]) -> list[Used]:
    """Write that workspaces are in use now; return those that will stop by themselves."""
    return await tx.all(Used, USE, {"ids": list(workspace_ids), "now": tx.now})


async def put_off(tx: Tx, build_ids: Sequence[UUID], deadlines: Sequence[datetime]) -> None:
    """Write when running workspaces stop by themselves."""
    args = {"ids": list(build_ids), "deadlines": list(deadlines), "now": tx.now}
    await tx.run(PUT_OFF, args)
