"""Rows of workspaces: one, many, and what may be changed about them."""

from dataclasses import asdict
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from server.kit.authz import Action, Kind, shared
from server.kit.db import Tx
from server.workspaces.errors import NameTaken
from server.workspaces.model import NewWorkspace, Workspace

COLUMNS: LiteralString = """
    w.id, w.created_at, w.updated_at, w.owner_id, o.username AS owner_name,
    o.avatar_url AS owner_avatar_url, w.organization_id, g.name AS organization_name,
    w.template_id, t.name AS template_name, t.display_name AS template_display_name,
    t.icon AS template_icon,
    t.allow_user_cancel_workspace_jobs AS template_allow_user_cancel_workspace_jobs,
    t.active_version_id AS template_active_version_id,
    t.require_active_version AS template_require_active_version,
    t.use_classic_parameter_flow AS template_use_classic_parameter_flow,
    t.allow_user_autostart AS template_allow_user_autostart,
    t.autostart_days AS template_autostart_days,
    t.user_acl AS template_user_acl, t.group_acl AS template_group_acl,
    t.default_ttl_ms, t.allow_user_autostop, t.activity_bump_ms,
    w.name, w.deleted, w.autostart_schedule, w.ttl_ms, w.last_used_at, w.deleting_at,
    w.dormant_at, w.automatic_updates, w.favorite, w.next_start_at, w.user_acl, w.group_acl
"""

NAMES: LiteralString = """
      JOIN users o ON o.id = w.owner_id
      JOIN organizations g ON g.id = w.organization_id
      JOIN templates t ON t.id = w.template_id
"""

REACHED: LiteralString = f"""
    (%(reach_all)s OR w.organization_id = ANY(%(reach_organizations)s)
     OR (w.owner_id = %(reach_own)s AND w.organization_id = ANY(%(reach_own_organizations)s))
     OR {shared("w")})
"""
"""Whether the actor may do it to the workspace; other statements of this room use it, too."""

LATEST: LiteralString = """
    (SELECT b.id FROM workspace_builds b
      WHERE b.workspace_id = w.id ORDER BY b.build_number DESC LIMIT 1)
"""

BY_ID: LiteralString = f"""
    SELECT {COLUMNS}, {LATEST} AS latest_build_id
      FROM workspaces w {NAMES}
     WHERE w.id = %(id)s AND {REACHED}
"""

BY_NAME: LiteralString = f"""
    SELECT {COLUMNS}, {LATEST} AS latest_build_id
      FROM workspaces w {NAMES}
     WHERE w.owner_id = coalesce(%(owner_id)s::uuid, (
           SELECT u.id FROM users u
            WHERE lower(u.username) = lower(%(owner)s) AND NOT u.deleted))
       AND lower(w.name) = lower(%(name)s)
       AND (NOT w.deleted OR %(deleted)s) AND {REACHED}
     ORDER BY w.deleted, w.created_at DESC
     LIMIT 1
"""

INSERT: LiteralString = """
    INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, autostart_schedule,
                            ttl_ms, automatic_updates, next_start_at, last_used_at, created_at,
                            updated_at)
    VALUES (%(id)s, %(owner_id)s, %(organization_id)s, %(template_id)s, %(name)s,
            %(autostart_schedule)s, %(ttl_ms)s, %(automatic_updates)s, %(next_start_at)s,
            %(now)s, %(now)s, %(now)s)
"""

RENAME: LiteralString = (
    "UPDATE workspaces SET name = %(name)s, updated_at = %(now)s WHERE id = %(id)s"
)
SET_TTL: LiteralString = (
    "UPDATE workspaces SET ttl_ms = %(ttl_ms)s, updated_at = %(now)s WHERE id = %(id)s"
)
SET_AUTOSTART: LiteralString = """
    UPDATE workspaces SET autostart_schedule = %(schedule)s, next_start_at = %(next)s,
                          updated_at = %(now)s
     WHERE id = %(id)s
"""
SET_NEXT_START: LiteralString = """
    UPDATE workspaces SET next_start_at = %(next)s WHERE id = %(id)s
"""
SET_DORMANT: LiteralString = """
    UPDATE workspaces w
       SET dormant_at = %(dormant_at)s,
           deleting_at = CASE WHEN t.time_til_dormant_autodelete_ms > 0
                              THEN %(dormant_at)s::timestamptz
                                   + t.time_til_dormant_autodelete_ms * interval '1 millisecond'
                         END,
           last_used_at = CASE WHEN %(dormant_at)s::timestamptz IS NULL THEN %(now)s
                               ELSE w.last_used_at END,
           updated_at = %(now)s
      FROM templates t
     WHERE w.id = %(id)s AND t.id = w.template_id
"""
SET_UPDATES: LiteralString = """
    UPDATE workspaces SET automatic_updates = %(updates)s, updated_at = %(now)s WHERE id = %(id)s
"""
SET_FAVORITE: LiteralString = "UPDATE workspaces SET favorite = %(favorite)s WHERE id = %(id)s"
SET_RUNNING: LiteralString = "UPDATE workspaces SET running = %(running)s WHERE id = %(id)s"
# Templates count their daily users from the hours in which workspaces were used; what nobody asks
# for any more goes, unless somebody else is about to take it away.
USE: LiteralString = """
    WITH used AS (UPDATE workspaces SET last_used_at = %(now)s WHERE id = %(id)s
                  RETURNING template_id, owner_id),
         gone AS (DELETE FROM template_usage WHERE ctid IN (
                  SELECT u.ctid FROM template_usage u JOIN used ON used.template_id = u.template_id
                   WHERE u.hour < %(now)s::timestamptz - interval '60 days'
                   LIMIT 1000 FOR UPDATE OF u SKIP LOCKED))
    INSERT INTO template_usage (template_id, user_id, hour)
    SELECT template_id, owner_id, date_trunc('hour', %(now)s::timestamptz) FROM used
    ON CONFLICT DO NOTHING
"""
LOCK: LiteralString = "SELECT deleted FROM workspaces WHERE id = %(id)s FOR UPDATE"
DELETE: LiteralString = """
    UPDATE workspaces SET deleted = true, next_start_at = NULL, updated_at = %(now)s
     WHERE id = %(id)s
"""


async def get(tx: Tx, workspace_id: UUID, action: Action = Action.READ) -> Workspace | None:
    """Return the workspace, deleted or not, if the actor may do ``action`` to it."""
    reach = tx.actor.reach(action, Kind.WORKSPACE)
    return await tx.one(Workspace, BY_ID, {"id": workspace_id, **reach.args()})


async def by_name(
    tx: Tx, owner: UUID | str, name: str, *, include_deleted: bool = False
) -> Workspace | None:
    """Return what its owner, by id or username, calls ``name``, if the actor may see it."""
    reach = tx.actor.reach(Action.READ, Kind.WORKSPACE)
    args = {
        "owner_id": owner if isinstance(owner, UUID) else None,
        "owner": owner if isinstance(owner, str) else None,
        "name": name,
        "deleted": include_deleted,
    }
    return await tx.one(Workspace, BY_NAME, {**args, **reach.args()})


async def insert(tx: Tx, workspace: NewWorkspace) -> None:
    """Write a new workspace.

    Raises:
        NameTaken: its owner has one of that name.
    """
    try:
        async with tx.savepoint():
            await tx.run(INSERT, {**asdict(workspace), "now": tx.now})
    except UniqueViolation as error:
        raise NameTaken(workspace.name) from error


async def rename(tx: Tx, workspace_id: UUID, name: str) -> None:
    """Give a workspace another name.

    Raises:
        NameTaken: its owner has one of that name.
    """
    try:
        async with tx.savepoint():
            await tx.run(RENAME, {"id": workspace_id, "name": name, "now": tx.now})
    except UniqueViolation as error:
        raise NameTaken(name) from error


async def set_ttl(tx: Tx, workspace_id: UUID, ttl_ms: int | None) -> None:
    """Write how long the workspace runs after its next start."""
    await tx.run(SET_TTL, {"id": workspace_id, "ttl_ms": ttl_ms, "now": tx.now})


async def set_autostart(
    tx: Tx, workspace_id: UUID, schedule: str | None, next_start: datetime | None
) -> None:
    """Write when the workspace starts by itself."""
    args = {"id": workspace_id, "schedule": schedule, "next": next_start, "now": tx.now}
    await tx.run(SET_AUTOSTART, args)


async def set_dormant(tx: Tx, workspace_id: UUID, dormant_at: datetime | None) -> None:
    """Put the workspace to sleep, or wake it; waking counts as a use."""
    await tx.run(SET_DORMANT, {"id": workspace_id, "dormant_at": dormant_at, "now": tx.now})


async def set_updates(tx: Tx, workspace_id: UUID, updates: str) -> None:
    """Write whether starts move to the template's active version."""
    await tx.run(SET_UPDATES, {"id": workspace_id, "updates": updates, "now": tx.now})


async def set_favorite(tx: Tx, workspace_id: UUID, *, favorite: bool) -> None:
    """Write whether the owner sees the workspace first."""
    await tx.run(SET_FAVORITE, {"id": workspace_id, "favorite": favorite})


async def set_next_start(tx: Tx, workspace_id: UUID, next_start: datetime | None) -> None:
    """Write when the workspace starts by itself next."""
    await tx.run(SET_NEXT_START, {"id": workspace_id, "next": next_start})


async def set_running(tx: Tx, workspace_id: UUID, *, running: bool) -> None:
    """Write whether the latest build is a start that succeeded; lists sort by it."""
    await tx.run(SET_RUNNING, {"id": workspace_id, "running": running})


async def use(tx: Tx, workspace_id: UUID) -> None:
    """Write that the workspace is being used now."""
    await tx.run(USE, {"id": workspace_id, "now": tx.now})


async def lock(tx: Tx, workspace_id: UUID) -> bool:
    """Keep every other build of this workspace waiting until the commit.

    Return False when the workspace was deleted while this waited.
    """
    deleted: bool | None = await tx.value(LOCK, {"id": workspace_id})
    return deleted is False


async def delete(tx: Tx, workspace_id: UUID) -> None:
    """Mark the workspace deleted; its name is free again, its history stays."""
    await tx.run(DELETE, {"id": workspace_id, "now": tx.now})
