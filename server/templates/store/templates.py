"""Templates in PostgreSQL. Reads carry the actor's reach: hidden and missing are both None."""

from collections.abc import Mapping
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from server.kit.authz import Action, Kind, shared
from server.kit.db import Tx, jsonb
from server.templates.errors import TemplateNameTaken
from server.templates.model.templates import BuildTime, Template

SEEN: LiteralString = f"""
    (%(reach_all)s OR t.organization_id = ANY(%(reach_organizations)s) OR {shared("t")})
"""

# People are counted from workspaces, a table of the room above: a number, never a row of it.
SELECT: LiteralString = """
    SELECT t.id, t.organization_id, t.name, t.display_name, t.description, t.icon, t.provisioner,
           t.active_version_id, t.created_by, t.deleted, t.deprecated, t.default_ttl_ms,
           t.activity_bump_ms, t.failure_ttl_ms, t.time_til_dormant_ms,
           t.time_til_dormant_autodelete_ms, t.autostop_days, t.autostop_weeks, t.autostart_days,
           t.allow_user_autostart, t.allow_user_autostop, t.allow_user_cancel_workspace_jobs,
           t.require_active_version, t.use_classic_parameter_flow, t.max_port_share_level,
           t.cors_behavior, t.time_til_autostop_notify_ms, t.agents_allowed, t.user_acl,
           t.group_acl, t.created_at, t.updated_at,
           o.name AS organization_name, o.display_name AS organization_display_name,
           o.icon AS organization_icon, u.username AS created_by_name,
           (SELECT count(DISTINCT w.owner_id) FROM workspaces w
             WHERE w.template_id = t.id AND NOT w.deleted) AS active_user_count
      FROM templates t
      JOIN organizations o ON o.id = t.organization_id
      JOIN users u ON u.id = t.created_by
"""

GET: LiteralString = f"{SELECT} WHERE t.id = %(id)s AND NOT t.deleted AND {SEEN}"
ANY: LiteralString = f"{SELECT} WHERE t.id = %(id)s"
NAMED: LiteralString = f"""
    {SELECT}
     WHERE t.organization_id = %(organization_id)s AND lower(t.name) = lower(%(name)s)
       AND NOT t.deleted AND {SEEN}
"""

LIST: LiteralString = f"""
    {SELECT}
     WHERE {SEEN}
       AND t.deleted = %(deleted)s
       AND (%(organization_id)s::uuid IS NULL OR t.organization_id = %(organization_id)s)
       AND (%(organization)s::text IS NULL OR lower(o.name) = %(organization)s
            OR o.id::text = %(organization)s OR (%(organization)s = 'default' AND o.is_default))
       AND (%(name)s::text IS NULL OR position(%(name)s in lower(t.name)) > 0)
       AND (%(exact_name)s::text IS NULL OR lower(t.name) = %(exact_name)s)
       AND (%(display_name)s::text IS NULL OR position(%(display_name)s in
                lower(coalesce(nullif(t.display_name, ''), t.name))) > 0)
       AND (%(exact_display_name)s::text IS NULL OR lower(t.display_name) = %(exact_display_name)s)
       AND (%(ids)s::uuid[] IS NULL OR t.id = ANY(%(ids)s))
       AND (%(deprecated)s::bool IS NULL OR (t.deprecated <> '') = %(deprecated)s)
       AND (%(author)s::text IS NULL OR lower(u.username) = %(author)s)
       AND (%(author_id)s::uuid IS NULL OR t.created_by = %(author_id)s)
       AND (%(has_ai_task)s::bool IS NULL OR %(has_ai_task)s =
            (SELECT v.has_ai_task FROM template_versions v WHERE v.id = t.active_version_id))
       AND (%(has_external_agent)s::bool IS NULL OR %(has_external_agent)s =
            (SELECT v.has_external_agent FROM template_versions v WHERE v.id = t.active_version_id))
     ORDER BY lower(t.name), t.id
"""

INSERT: LiteralString = """
    INSERT INTO templates (id, organization_id, name, active_version_id, created_by, group_acl,
                           created_at, updated_at)
    VALUES (%(id)s, %(organization_id)s, %(name)s, %(active_version_id)s, %(created_by)s,
            jsonb_build_object(%(organization_id)s::uuid, 'use'), %(now)s, %(now)s)
"""

UPDATE: LiteralString = """
    UPDATE templates
       SET name = %(name)s, display_name = %(display_name)s, description = %(description)s,
           icon = %(icon)s, deprecated = %(deprecated)s, default_ttl_ms = %(default_ttl_ms)s,
           activity_bump_ms = %(activity_bump_ms)s, failure_ttl_ms = %(failure_ttl_ms)s,
           time_til_dormant_ms = %(time_til_dormant_ms)s,
           time_til_dormant_autodelete_ms = %(time_til_dormant_autodelete_ms)s,
           autostop_days = %(autostop_days)s, autostop_weeks = %(autostop_weeks)s,
           autostart_days = %(autostart_days)s, allow_user_autostart = %(allow_user_autostart)s,
           allow_user_autostop = %(allow_user_autostop)s,
           allow_user_cancel_workspace_jobs = %(allow_user_cancel_workspace_jobs)s,
           require_active_version = %(require_active_version)s,
           use_classic_parameter_flow = %(use_classic_parameter_flow)s,
           max_port_share_level = %(max_port_share_level)s, cors_behavior = %(cors_behavior)s,
           time_til_autostop_notify_ms = %(time_til_autostop_notify_ms)s,
           agents_allowed = %(agents_allowed)s, group_acl = %(group_acl)s::jsonb,
           updated_at = %(now)s
     WHERE id = %(id)s
"""

LOCK: LiteralString = "SELECT id FROM templates WHERE id = %(id)s FOR UPDATE"

ACTIVATE: LiteralString = """
    UPDATE templates SET active_version_id = %(version_id)s, updated_at = %(now)s WHERE id = %(id)s
"""

DELETE: LiteralString = """
    UPDATE templates SET deleted = true, updated_at = %(now)s WHERE id = %(id)s
"""

IN_USE: LiteralString = """
    SELECT count(*) FROM workspaces WHERE template_id = %(id)s AND NOT deleted
"""

BUILD_TIMES: LiteralString = """
    SELECT w.template_id, b.transition,
           (percentile_disc(0.5) WITHIN GROUP (ORDER BY t.took))::bigint AS p50,
           (percentile_disc(0.95) WITHIN GROUP (ORDER BY t.took))::bigint AS p95
      FROM workspace_builds b
      JOIN workspaces w ON w.id = b.workspace_id
      JOIN provisioner_jobs j ON j.id = b.job_id
     CROSS JOIN LATERAL
           (SELECT extract(epoch FROM j.completed_at - j.started_at) * 1000 AS took) t
     WHERE w.template_id = ANY(%(ids)s)
       AND j.completed_at > %(now)s::timestamptz - interval '14 days'
       AND j.error = '' AND j.canceled_at IS NULL
     GROUP BY w.template_id, b.transition
"""


def _reach(tx: Tx) -> dict[str, Any]:
    return tx.actor.reach(Action.READ, Kind.TEMPLATE).args()


async def get(tx: Tx, template_id: UUID) -> Template | None:
    """Return the template if the actor may see it and it is not deleted."""
    return await tx.one(Template, GET, {"id": template_id, **_reach(tx)})


async def unfiltered(tx: Tx, template_id: UUID) -> Template | None:
    """Return the template, whoever asks, deleted or not."""
    return await tx.one(Template, ANY, {"id": template_id})


async def named(tx: Tx, organization_id: UUID, name: str) -> Template | None:
    """Return the organization's template of this name if the actor may see it."""
    args = {"organization_id": organization_id, "name": name, **_reach(tx)}
    return await tx.one(Template, NAMED, args)


async def search(tx: Tx, wanted: Mapping[str, Any]) -> list[Template]:
    """Return the templates that the actor may see and that fit ``wanted``."""
    return await tx.all(Template, LIST, {**wanted, **_reach(tx)})


async def insert(
    tx: Tx, template_id: UUID, organization_id: UUID, name: str, version_id: UUID
) -> None:
    """Write a template with default settings, which everybody of its organization may use.

    Raises:
        TemplateNameTaken: the organization has one of this name.
    """
    args = {
        "id": template_id,
        "organization_id": organization_id,
        "name": name,
        "active_version_id": version_id,
        "created_by": tx.actor.user_id,
        "now": tx.now,
    }
    try:
        async with tx.savepoint():
            await tx.run(INSERT, args)
    except UniqueViolation as taken:
        raise TemplateNameTaken(name) from taken


async def update(tx: Tx, template_id: UUID, settings: Mapping[str, Any]) -> None:
    """Write every setting of a template.

    Raises:
        TemplateNameTaken: the organization has another one of this name.
    """
    try:
        async with tx.savepoint():
            acl = jsonb(dict(settings["group_acl"]))
            await tx.run(UPDATE, {**settings, "group_acl": acl, "id": template_id, "now": tx.now})
    except UniqueViolation as taken:
        raise TemplateNameTaken(str(settings["name"])) from taken


async def lock(tx: Tx, template_id: UUID) -> None:
    """Keep the template from changing until the end of ``tx``."""
    await tx.run(LOCK, {"id": template_id})


async def activate(tx: Tx, template_id: UUID, version_id: UUID) -> None:
    """Make a version the one that new builds use."""
    await tx.run(ACTIVATE, {"id": template_id, "version_id": version_id, "now": tx.now})


async def delete(tx: Tx, template_id: UUID) -> None:
    """Hide a template for ever."""
    await tx.run(DELETE, {"id": template_id, "now": tx.now})


async def workspaces(tx: Tx, template_id: UUID) -> int:
    """Return how many workspaces use a template."""
    return int(await tx.value(IN_USE, {"id": template_id}))


async def build_times(tx: Tx, ids: list[UUID]) -> list[BuildTime]:
    """Return how long builds of some templates took in the last two weeks."""
    return await tx.all(BuildTime, BUILD_TIMES, {"ids": ids, "now": tx.now}) if ids else []
