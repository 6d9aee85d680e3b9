"""Template versions in PostgreSQL. A version is seen by whoever sees its template."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from server.kit.authz import Action, Kind, shared
from server.kit.db import Tx
from server.templates.errors import VersionNameTaken
from server.templates.model.templates import NewVersion, Version

# One without a template is a draft: its maker sees it, and whoever may change templates there.
SEEN: LiteralString = f"""
    CASE WHEN v.template_id IS NULL
         THEN %(drafts_all)s OR v.organization_id = ANY(%(drafts_organizations)s)
              OR (v.created_by = %(actor)s AND v.organization_id = ANY(%(member_of)s))
         ELSE %(reach_all)s OR v.organization_id = ANY(%(reach_organizations)s) OR {shared("t")}
          END
"""

SELECT: LiteralString = """
    SELECT v.id, v.template_id, v.organization_id, v.name, v.message, v.readme, v.job_id,
           v.created_by, v.archived, v.has_ai_task, v.has_external_agent, v.external_auth,
           v.workspace_tags, v.created_at, v.updated_at,
           u.username AS created_by_username, u.name AS created_by_name,
           u.avatar_url AS created_by_avatar_url, j.file_id, j.tags,
           CASE WHEN j.completed_at IS NULL THEN 'running' WHEN j.error <> '' THEN 'failed'
                WHEN j.canceled_at IS NOT NULL THEN 'canceled' ELSE 'succeeded' END AS job_state,
           coalesce(t.name, '') AS template_name,
           coalesce(t.user_acl, '{}') AS user_acl, coalesce(t.group_acl, '{}') AS group_acl
      FROM template_versions v
      JOIN users u ON u.id = v.created_by
      JOIN provisioner_jobs j ON j.id = v.job_id
      LEFT JOIN templates t ON t.id = v.template_id
"""

GET: LiteralString = f"{SELECT} WHERE v.id = %(id)s AND {SEEN}"
UNFILTERED: LiteralString = f"{SELECT} WHERE v.id = %(id)s"
NAMED: LiteralString = f"""
    {SELECT}
     WHERE v.template_id = %(template_id)s AND lower(v.name) = lower(%(name)s) AND {SEEN}
"""

LIST: LiteralString = f"""
    {SELECT}
     WHERE v.template_id = %(template_id)s AND {SEEN}
       AND (%(include_archived)s OR NOT v.archived)
       AND (%(after_id)s::uuid IS NULL OR (v.created_at, v.id) >
            (SELECT a.created_at, a.id FROM template_versions a WHERE a.id = %(after_id)s))
     ORDER BY v.created_at, v.id
     LIMIT %(limit)s OFFSET %(offset)s
"""

PREVIOUS: LiteralString = f"""
    {SELECT}
     WHERE v.template_id = %(template_id)s AND {SEEN}
       AND (v.created_at, v.id) < (%(created_at)s, %(id)s::uuid)
     ORDER BY v.created_at DESC, v.id DESC
     LIMIT 1
"""

INSERT: LiteralString = """
    INSERT INTO template_versions
           (id, template_id, organization_id, name, message, job_id, created_by, created_at,
            updated_at)
    VALUES (%(id)s, %(template_id)s, %(organization_id)s, %(name)s, %(message)s, %(job_id)s,
            %(created_by)s, %(now)s, %(now)s)
"""

RENAME: LiteralString = """
    UPDATE template_versions SET name = %(name)s, message = %(message)s, updated_at = %(now)s
     WHERE id = %(id)s
"""

ADOPT: LiteralString = """
    UPDATE template_versions SET template_id = %(template_id)s, updated_at = %(now)s
     WHERE id = %(id)s AND template_id IS NULL
"""

ARCHIVE: LiteralString = """
    UPDATE template_versions SET archived = %(archived)s, updated_at = %(now)s WHERE id = %(id)s
"""

IN_USE: LiteralString = """
    SELECT EXISTS (SELECT 1 FROM templates t WHERE t.active_version_id = %(id)s AND NOT t.deleted)
        OR EXISTS (SELECT 1 FROM workspaces w
                    WHERE NOT w.deleted AND %(id)s =
                          (SELECT b.template_version_id FROM workspace_builds b
                            WHERE b.workspace_id = w.id ORDER BY b.build_number DESC LIMIT 1))
"""

# Without ``all`` only versions whose import failed: nobody can be using those.
ARCHIVE_UNUSED: LiteralString = """
    UPDATE template_versions v SET archived = true, updated_at = %(now)s
      FROM provisioner_jobs j, templates t
     WHERE v.template_id = %(template_id)s AND NOT v.archived
       AND j.id = v.job_id AND j.completed_at IS NOT NULL
       AND (%(all)s OR j.error <> '' OR j.canceled_at IS NOT NULL)
       AND t.id = v.template_id AND t.active_version_id <> v.id
       AND NOT EXISTS (SELECT 1 FROM workspaces w
                        WHERE w.template_id = v.template_id AND NOT w.deleted AND v.id =
                              (SELECT b.template_version_id FROM workspace_builds b
                                WHERE b.workspace_id = w.id ORDER BY b.build_number DESC LIMIT 1))
    RETURNING v.id
"""


def _seen(tx: Tx) -> dict[str, Any]:
    drafts = tx.actor.reach(Action.UPDATE, Kind.TEMPLATE)
    return {
        **tx.actor.reach(Action.READ, Kind.TEMPLATE).args(),
        "actor": tx.actor.id,
        "member_of": list(tx.actor.organizations),
        "drafts_all": drafts.all,
        "drafts_organizations": drafts.organizations,
    }


async def get(tx: Tx, version_id: UUID) -> Version | None:
    """Return the version if the actor may see it."""
    return await tx.one(Version, GET, {"id": version_id, **_seen(tx)})


async def unfiltered(tx: Tx, version_id: UUID) -> Version | None:
    """Return the version, whoever asks."""
    return await tx.one(Version, UNFILTERED, {"id": version_id})


async def named(tx: Tx, template_id: UUID, name: str) -> Version | None:
    """Return the template's version of this name if the actor may see it."""
    args = {"template_id": template_id, "name": name, **_seen(tx)}
    return await tx.one(Version, NAMED, args)


async def of_template(
    tx: Tx, template_id: UUID, page: dict[str, Any], *, include_archived: bool
) -> list[Version]:
    """Return a template's versions, oldest first. ``page``: limit, offset, after_id."""
    args = {"template_id": template_id, "include_archived": include_archived, **page}
    return await tx.all(Version, LIST, {**args, **_seen(tx)})


async def previous(tx: Tx, version: Version) -> Version | None:
    """Return the version of the same template that was made before this one."""
    args = {"id": version.id, "template_id": version.template_id, "created_at": version.created_at}
    return await tx.one(Version, PREVIOUS, {**args, **_seen(tx)})


async def insert(tx: Tx, version_id: UUID, new: NewVersion, job_id: UUID) -> None:
    """Write a version.

    Raises:
        VersionNameTaken: the template has one of this name.
    """
    args = {
        "id": version_id,
        "template_id": new.template_id,
        "organization_id": new.organization_id,
        "name": new.name,
        "message": new.message,
        "job_id": job_id,
        "created_by": tx.actor.user_id,
        "now": tx.now,
    }
    try:
        async with tx.savepoint():
            await tx.run(INSERT, args)
    except UniqueViolation as taken:
        raise VersionNameTaken(new.name) from taken


async def rename(tx: Tx, version_id: UUID, name: str, message: str) -> None:
    """Change what a version is called.

    Raises:
        VersionNameTaken: the template has another one of this name.
    """
    args = {"id": version_id, "name": name, "message": message, "now": tx.now}
    try:
        async with tx.savepoint():
            await tx.run(RENAME, args)
    except UniqueViolation as taken:
        raise VersionNameTaken(name) from taken


async def adopt(tx: Tx, version_id: UUID, template_id: UUID) -> bool:
    """Give a draft to a template; return False when somebody was first."""
    args = {"id": version_id, "template_id": template_id, "now": tx.now}
    return await tx.run(ADOPT, args) == 1


async def archive(tx: Tx, version_id: UUID, *, archived: bool) -> None:
    """Hide a version from lists, or show it again."""
    await tx.run(ARCHIVE, {"id": version_id, "archived": archived, "now": tx.now})


async def in_use(tx: Tx, version_id: UUID) -> bool:
    """Tell whether the version is its template's active one, or any workspace's latest."""
    return bool(await tx.value(IN_USE, {"id": version_id}))


async def archive_unused(tx: Tx, template_id: UUID, *, everything: bool) -> Sequence[UUID]:
    """Archive versions that nothing uses; return which."""
    args = {"template_id": template_id, "all": everything, "now": tx.now}
    return await tx.values(ARCHIVE_UNUSED, args)
