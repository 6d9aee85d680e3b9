"""Rows of builds, their parameters and their Terraform state."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from server.kit.authz import Action, Kind
from server.kit.db import Tx
from server.workspaces.errors import BuildActive
from server.workspaces.model import Build, LastBuild, NewBuild, RunningBuild, Values
from server.workspaces.store.workspaces import REACHED

COLUMNS: LiteralString = """
    b.id, b.created_at, b.updated_at, b.workspace_id, w.name AS workspace_name,
    w.owner_id, o.username AS owner_name, o.avatar_url AS owner_avatar_url,
    w.organization_id, w.template_id, b.template_version_id, v.name AS template_version_name,
    b.build_number, b.transition, b.initiator_id, i.username AS initiator_name, b.job_id,
    b.reason, b.deadline, b.max_deadline, b.daily_cost, b.preset_id, b.has_ai_task,
    b.has_external_agent
"""

TABLES: LiteralString = """
      FROM workspace_builds b
      JOIN workspaces w ON w.id = b.workspace_id
      JOIN users o ON o.id = w.owner_id
      JOIN users i ON i.id = b.initiator_id
      JOIN template_versions v ON v.id = b.template_version_id
"""

BY_IDS: LiteralString = f"SELECT {COLUMNS} {TABLES} WHERE b.id = ANY(%(ids)s)"

BY_ID: LiteralString = f"SELECT {COLUMNS} {TABLES} WHERE b.id = %(id)s AND {REACHED}"

BY_NUMBER: LiteralString = f"""
    SELECT {COLUMNS} {TABLES}
     WHERE b.workspace_id = %(workspace_id)s AND b.build_number = %(number)s
"""

OF_WORKSPACE: LiteralString = f"""
    SELECT {COLUMNS} {TABLES}
     WHERE b.workspace_id = %(workspace_id)s
       AND (%(since)s::timestamptz IS NULL OR b.created_at >= %(since)s)
       AND (%(after_id)s::uuid IS NULL OR b.build_number < (
            SELECT n.build_number FROM workspace_builds n
             WHERE n.id = %(after_id)s AND n.workspace_id = %(workspace_id)s))
     ORDER BY b.build_number DESC
     LIMIT %(limit)s OFFSET %(offset)s
"""

LAST: LiteralString = """
    SELECT b.id, b.build_number, b.transition, b.template_version_id, b.deadline, b.max_deadline,
           j.completed_at IS NULL AS active
      FROM workspace_builds b
      JOIN provisioner_jobs j ON j.id = b.job_id
     WHERE b.workspace_id = %(workspace_id)s
     ORDER BY b.build_number DESC
     LIMIT 1
"""

INSERT: LiteralString = """
    INSERT INTO workspace_builds (id, workspace_id, template_version_id, build_number, transition,
                                  reason, initiator_id, job_id, preset_id, state, orphan,
                                  log_level, deadline, max_deadline, created_at, updated_at)
    VALUES (%(id)s, %(workspace_id)s, %(template_version_id)s, %(build_number)s, %(transition)s,
            %(reason)s, %(initiator_id)s, %(job_id)s, %(preset_id)s, %(state)s, %(orphan)s,
            %(log_level)s, %(deadline)s, %(max_deadline)s, %(now)s, %(now)s)
"""

INSERT_PARAMETER: LiteralString = """
    INSERT INTO workspace_build_parameters (workspace_build_id, name, value)
    VALUES (%(build_id)s, %(name)s, %(value)s)
"""

PARAMETERS: LiteralString = """
    SELECT coalesce(json_object_agg(name, value ORDER BY name), '{}')
      FROM workspace_build_parameters
     WHERE workspace_build_id = %(build_id)s
"""

LAST_VALUES: LiteralString = """
    SELECT coalesce(json_object_agg(name, value ORDER BY name), '{}')
      FROM (SELECT DISTINCT ON (x.name) x.name, x.value
              FROM workspace_build_parameters x
              JOIN workspace_builds b ON b.id = x.workspace_build_id
              JOIN workspaces w ON w.id = b.workspace_id
             WHERE w.owner_id = %(owner_id)s AND w.template_id = %(template_id)s
               AND b.transition = 'start' AND x.name = ANY(%(names)s)
               AND (%(reach_all)s OR w.organization_id = ANY(%(reach_organizations)s)
                    OR (w.owner_id = %(reach_own)s
                        AND w.organization_id = ANY(%(reach_own_organizations)s)))
             ORDER BY x.name, b.created_at DESC) latest
"""

RUNNING: LiteralString = """
    SELECT b.id AS build_id, b.build_number, b.transition, b.template_version_id,
           v.name AS version_name, t.id AS template_id, t.name AS template_name,
           w.id AS workspace_id, w.name AS workspace_name, w.owner_id, w.organization_id,
           w.ttl_ms, b.orphan, b.log_level, b.max_deadline,
           coalesce(b.state, p.state) AS state, p.id AS previous_id,
           t.default_ttl_ms, t.allow_user_autostop, t.activity_bump_ms,
           w.autostart_schedule, t.autostart_days
      FROM workspace_builds b
      JOIN workspaces w ON w.id = b.workspace_id
      JOIN templates t ON t.id = w.template_id
      JOIN template_versions v ON v.id = b.template_version_id
      LEFT JOIN workspace_builds p
        ON p.workspace_id = b.workspace_id AND p.build_number = b.build_number - 1
     WHERE b.id = %(build_id)s
"""

SAVE_STATE: LiteralString = """
    UPDATE workspace_builds SET state = %(state)s, updated_at = %(now)s WHERE id = %(build_id)s
"""

KEEP_STATE: LiteralString = """
    UPDATE workspace_builds b
       SET state = p.state
      FROM workspace_builds p
     WHERE b.id = %(build_id)s AND b.state IS NULL
       AND p.workspace_id = b.workspace_id AND p.build_number = b.build_number - 1
"""

STATE: LiteralString = "SELECT state FROM workspace_builds WHERE id = %(build_id)s"

FINISH: LiteralString = """
    UPDATE workspace_builds
       SET deadline = %(deadline)s, daily_cost = %(daily_cost)s, has_ai_task = %(has_ai_task)s,
           has_external_agent = %(has_external_agent)s, updated_at = %(now)s
     WHERE id = %(build_id)s
"""

SET_DEADLINE: LiteralString = """
    UPDATE workspace_builds SET deadline = %(deadline)s, updated_at = %(now)s
     WHERE id = %(build_id)s
"""


async def get(tx: Tx, build_id: UUID) -> Build | None:
    """Return the build if the actor may see its workspace."""
    reach = tx.actor.reach(Action.READ, Kind.WORKSPACE)
    return await tx.one(Build, BY_ID, {"id": build_id, **reach.args()})


async def by_ids(tx: Tx, build_ids: Sequence[UUID]) -> dict[UUID, Build]:
    """Return builds of workspaces that the actor was shown."""
    builds = await tx.all(Build, BY_IDS, {"ids": list(build_ids)})
    return {build.id: build for build in builds}


async def by_number(tx: Tx, workspace_id: UUID, number: int) -> Build | None:
    """Return a build of a workspace that the actor was shown."""
    return await tx.one(Build, BY_NUMBER, {"workspace_id": workspace_id, "number": number})


async def of_workspace(tx: Tx, workspace_id: UUID, **which: Any) -> list[Build]:
    """Return builds of a workspace that the actor was shown, newest first.

    ``which`` has ``since``, ``after_id``, ``limit`` and ``offset``.
    """
    return await tx.all(Build, OF_WORKSPACE, {"workspace_id": workspace_id, **which})


async def last(tx: Tx, workspace_id: UUID) -> LastBuild | None:
    """Return the newest build, or None for a workspace just made."""
    return await tx.one(LastBuild, LAST, {"workspace_id": workspace_id})


async def insert(tx: Tx, build: NewBuild, parameters: Values) -> None:
    """Write a new build and its parameters.

    Raises:
        BuildActive: somebody wrote a build of this number first.
    """
    try:
        async with tx.savepoint():
            await tx.run(INSERT, {**asdict(build), "now": tx.now})
    except UniqueViolation as error:
        raise BuildActive from error
    rows = [
        {"build_id": build.id, "name": name, "value": value} for name, value in parameters.items()
    ]
    await tx.many(INSERT_PARAMETER, rows)


async def parameters(tx: Tx, build_id: UUID | None) -> dict[str, str]:
    """Return the values that a build ran with, by name; none for no build."""
    return dict(await tx.value(PARAMETERS, {"build_id": build_id}))


async def last_values(
    tx: Tx, owner_id: UUID, template_id: UUID, names: Sequence[str]
) -> dict[str, str]:
    """Return the values that an owner last gave to parameters of a template."""
    reach = tx.actor.reach(Action.READ, Kind.WORKSPACE).args()
    args = {"owner_id": owner_id, "template_id": template_id, "names": list(names)}
    return dict(await tx.value(LAST_VALUES, {**args, **reach}))


async def running(tx: Tx, build_id: UUID) -> RunningBuild | None:
    """Return what the work of a build needs, with the state it starts from."""
    return await tx.one(RunningBuild, RUNNING, {"build_id": build_id})


async def save_state(tx: Tx, build_id: UUID, state: bytes | None) -> None:
    """Write the Terraform state after a build, whatever became of it."""
    await tx.run(SAVE_STATE, {"build_id": build_id, "state": state, "now": tx.now})


async def keep_state(tx: Tx, build_id: UUID) -> None:
    """Let a build that never ran carry on the state of the one before it."""
    await tx.run(KEEP_STATE, {"build_id": build_id})


async def state(tx: Tx, build_id: UUID) -> bytes:
    """Return the Terraform state after a build; empty when there is none."""
    found = await tx.value(STATE, {"build_id": build_id})
    return bytes(found or b"")


async def finish(
    tx: Tx,
    build_id: UUID,
    *,
    deadline: datetime | None,
    daily_cost: int = 0,
    has_ai_task: bool = False,
    has_external_agent: bool = False,
) -> None:
    """Write what a build that ended well came to."""
    await tx.run(
        FINISH,
        {
            "build_id": build_id,
            "deadline": deadline,
            "daily_cost": daily_cost,
            "has_ai_task": has_ai_task,
            "has_external_agent": has_external_agent,
            "now": tx.now,
        },
    )


async def set_deadline(tx: Tx, build_id: UUID, deadline: datetime | None) -> None:
    """Write when the running workspace stops by itself."""
    await tx.run(SET_DEADLINE, {"build_id": build_id, "deadline": deadline, "now": tx.now})
