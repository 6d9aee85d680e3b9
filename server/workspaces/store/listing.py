"""A page of workspaces out of ten thousand: one statement, put together from what is asked for.

Restrictions that nobody asked for are left out instead of being written as ``NULL OR``: then each
combination gets a plan of its own, and the latest builds are looked up only when they matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, LiteralString

from coder_cli.sdk.builds import WorkspaceStatus
from server import provisioning
from server.kit.authz import Action, Kind
from server.kit.db import Tx
from server.workspaces.model import STATUS, Search, Workspace
from server.workspaces.store.workspaces import COLUMNS, NAMES, REACHED

FIRST: LiteralString = f"""
    matching AS (
        SELECT w.id, NOT (w.favorite AND w.owner_id = %(me)s) AS ordinary,
               NOT w.running AS idle, lower(o.username) AS owner_key, lower(w.name) AS name_key
          FROM workspaces w {NAMES}
"""

LATEST: LiteralString = """
         CROSS JOIN LATERAL (
               SELECT b.id, b.template_version_id, b.job_id, b.has_ai_task, b.has_external_agent,
                      b.transition
                 FROM workspace_builds b
                WHERE b.workspace_id = w.id
                ORDER BY b.build_number DESC
                LIMIT 1
               ) l
"""

JOB: LiteralString = "JOIN provisioner_jobs j ON j.id = l.job_id"

ALWAYS: LiteralString = f" WHERE w.deleted = %(deleted)s AND {REACHED} "

PLAIN: Mapping[str, LiteralString] = MappingProxyType(
    {
        "running": "w.running = %(running)s",
        "owner_id": "w.owner_id = %(owner_id)s",
        "owner": "lower(o.username) = %(owner)s",
        "name": "strpos(lower(w.name), %(name)s) > 0",
        "template": "(lower(t.name) = %(template)s AND NOT t.deleted)",
        "organization": """
            (%(organization)s IN (lower(g.name), g.id::text)
             OR (%(organization)s = 'default' AND g.is_default))
        """,
        "ids": "w.id = ANY(%(ids)s)",
        "dormant": "(w.dormant_at IS NOT NULL) = %(dormant)s",
        "used_after": "w.last_used_at >= %(used_after)s",
        "used_before": "w.last_used_at <= %(used_before)s",
        "shared": "(w.user_acl <> '{}' OR w.group_acl <> '{}') = %(shared)s",
        "shared_user": """
            EXISTS (SELECT 1 FROM users s
                     WHERE w.user_acl ? s.id::text AND NOT s.deleted
                       AND %(shared_user)s IN (lower(s.username), s.id::text))
        """,
        "shared_group": "w.group_acl ? %(shared_group)s",
    }
)
"""Restrictions on the workspace itself, by the argument that asks for them."""

BUILT: Mapping[str, LiteralString] = MappingProxyType(
    {
        "states": """
            CASE WHEN j.completed_at IS NOT NULL AND j.error <> '' THEN 'failed'
                 WHEN j.completed_at IS NULL AND j.canceled_at IS NOT NULL THEN 'canceling'
                 WHEN j.canceled_at IS NOT NULL THEN 'canceled'
                 WHEN j.completed_at IS NOT NULL THEN 'succeeded'
                 WHEN j.started_at IS NULL THEN 'pending'
                 ELSE 'running' END || ' ' || l.transition = ANY(%(states)s)
        """,
        "outdated": "(l.template_version_id <> t.active_version_id) = %(outdated)s",
        "has_ai_task": "l.has_ai_task = %(has_ai_task)s",
        "has_external_agent": "l.has_external_agent = %(has_external_agent)s",
        "agent_statuses": """
            EXISTS (
                SELECT 1 FROM workspace_resources r
                  JOIN workspace_agents a ON a.resource_id = r.id
                 WHERE r.job_id = l.job_id
                   AND CASE WHEN a.first_connected_at IS NULL
                                 AND a.connection_timeout_seconds > 0
                                 AND a.created_at + a.connection_timeout_seconds
                                                    * interval '1 second' < %(now)s
                            THEN 'timeout'
                            WHEN a.first_connected_at IS NULL THEN 'connecting'
                            WHEN a.disconnected_at > a.last_connected_at
                                 OR a.last_connected_at < %(silent)s
                            THEN 'disconnected'
                            ELSE 'connected' END = ANY(%(agent_statuses)s))
        """,
        "parameter_names": """
            NOT EXISTS (
                SELECT 1 FROM unnest(%(parameter_names)s::text[], %(parameter_values)s::text[])
                              AS p (name, value)
                 WHERE NOT EXISTS (
                       SELECT 1 FROM workspace_build_parameters v
                        WHERE v.workspace_build_id = l.id AND lower(v.name) = p.name
                          AND (p.value IS NULL OR lower(v.value) = p.value)))
        """,
    }
)
"""Restrictions on the latest build."""

LAST: LiteralString = f"""
    ), page AS (
        SELECT * FROM matching
         ORDER BY ordinary, idle, owner_key, name_key, id
         LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {COLUMNS}, (SELECT count(*) FROM matching) AS total,
           (SELECT b.id FROM workspace_builds b
             WHERE b.workspace_id = w.id ORDER BY b.build_number DESC LIMIT 1) AS latest_build_id
      FROM page p
      JOIN workspaces w ON w.id = p.id {NAMES}
     ORDER BY p.ordinary, p.idle, p.owner_key, p.name_key, p.id
"""


@dataclass(frozen=True, slots=True)
class Listed(Workspace):
    """A workspace in a list, and how long the whole list is."""

    total: int


async def page(
    tx: Tx, search: Search, *, limit: int | None = None, offset: int = 0
) -> tuple[Sequence[Workspace], int]:
    """Return one page of what matches and the actor may see, and how many there are in all.

    First the actor's favorites, then what runs; then by owner and name.
    """
    wanted = _wanted(tx, search)
    sql = statement(wanted)
    args = {
        **wanted,
        **tx.actor.reach(Action.READ, Kind.WORKSPACE).args(),
        "me": tx.actor.id,
        "now": tx.now,
        "silent": tx.now - provisioning.INACTIVE_AFTER,
        "deleted": "succeeded delete" in (wanted["states"] or ()),
        "parameter_values": [value for _, value in search.parameters],
    }
    listed = await tx.all(Listed, sql, {**args, "limit": limit, "offset": offset})
    if listed or offset == 0:
        return listed, listed[0].total if listed else 0
    first = await tx.one(Listed, sql, {**args, "limit": 1, "offset": 0})
    return [], first.total if first else 0


def statement(wanted: Mapping[str, Any]) -> LiteralString:
    """Return the statement with a restriction for each argument that is not None."""
    built: list[LiteralString] = [sql for name, sql in BUILT.items() if wanted[name] is not None]
    plain: list[LiteralString] = [sql for name, sql in PLAIN.items() if wanted[name] is not None]
    latest = LATEST if built else ""
    job = JOB if wanted["states"] is not None else ""
    return "WITH" + FIRST + latest + job + " AND ".join((ALWAYS, *plain, *built)) + LAST


EVERY_RESTRICTION: LiteralString = statement(dict.fromkeys((*PLAIN, *BUILT), True))
"""The longest statement; what is in it is checked against the schema by a test."""


def _wanted(tx: Tx, search: Search) -> dict[str, Any]:
    me = tx.actor.id
    runs = search.status is WorkspaceStatus.RUNNING
    states = [
        f"{job} {transition}"
        for (job, transition), status in STATUS.items()
        if status is search.status
    ]
    shared_user = str(me) if search.shared_with_user == "me" else search.shared_with_user
    return {
        # The column says it of running workspaces, and leaves fewer of the others to look at.
        "running": None if search.status is None else runs,
        "owner_id": me if search.owner == "me" else None,
        "owner": search.owner if search.owner != "me" and search.owner else None,
        "name": search.name or None,
        "template": search.template or None,
        "organization": search.organization or None,
        "ids": search.ids,
        "dormant": search.dormant,
        "used_after": search.last_used_after,
        "used_before": search.last_used_before,
        "shared": search.shared,
        "shared_user": shared_user or None,
        "shared_group": str(search.shared_with_group) if search.shared_with_group else None,
        "states": None if runs else states or None,
        "outdated": search.outdated,
        "has_ai_task": search.has_ai_task,
        "has_external_agent": search.has_external_agent,
        "agent_statuses": [str(status) for status in search.agent_statuses] or None,
        "parameter_names": [name for name, _ in search.parameters] or None,
    }
