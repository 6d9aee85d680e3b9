"""Provisioner daemons: each replica says that its workers live, in every organization.

Our own daemons serve all organizations; a row for each lets everybody see theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from server.kit.authz import Action, Kind, shared
from server.kit.db import Tx, jsonb
from server.provisioning.model import BUILT_IN, STALE_DAEMON, DaemonView, Guest

LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('provisioner_daemons'))"

TAKEN: LiteralString = """
    SELECT DISTINCT name FROM provisioner_daemons
     WHERE replica_id IS NOT NULL AND replica_id <> %(replica_id)s
       AND last_seen_at >= %(stale_before)s
"""

REGISTER: LiteralString = """
    INSERT INTO provisioner_daemons
           (id, organization_id, name, version, api_version, provisioners, tags, replica_id,
            key_id, created_at, last_seen_at)
    SELECT gen_random_uuid(), o.id, worker.name, %(version)s, %(api_version)s, '{terraform}',
           %(tags)s, %(replica_id)s, %(key_id)s, %(now)s, %(now)s
      FROM organizations o CROSS JOIN unnest(%(names)s::text[]) AS worker (name)
     WHERE NOT o.deleted
    ON CONFLICT (organization_id, name) DO UPDATE
       SET version = excluded.version, api_version = excluded.api_version, tags = excluded.tags,
           replica_id = excluded.replica_id, last_seen_at = excluded.last_seen_at,
           key_id = excluded.key_id, line_id = NULL
"""

# The newest line of a name wins: a daemon comes back before its old line is known to be dead.
ARRIVE: LiteralString = """
    INSERT INTO provisioner_daemons AS d
           (id, organization_id, name, version, api_version, provisioners, tags, replica_id,
            key_id, line_id, created_at, last_seen_at)
    VALUES (gen_random_uuid(), %(organization_id)s, %(name)s, %(version)s, %(api_version)s,
            '{terraform}', %(tags)s, %(replica_id)s, %(key_id)s, %(line_id)s, %(now)s, %(now)s)
    ON CONFLICT (organization_id, name) DO UPDATE
       SET version = excluded.version, api_version = excluded.api_version, tags = excluded.tags,
           replica_id = excluded.replica_id, last_seen_at = excluded.last_seen_at,
           key_id = excluded.key_id, line_id = excluded.line_id
     WHERE d.line_id IS NOT NULL OR d.replica_id IS NULL OR d.last_seen_at < %(stale_before)s
    RETURNING id
"""

DEPART: LiteralString = """
    UPDATE provisioner_daemons SET replica_id = NULL WHERE line_id = %(line_id)s
"""

LEAVE: LiteralString = """
    UPDATE provisioner_daemons SET replica_id = NULL WHERE replica_id = %(replica_id)s
"""

FORGET: LiteralString = """
    DELETE FROM provisioner_daemons WHERE last_seen_at < %(now)s::timestamptz - interval '7 days'
"""

# Who may see a daemon need not see what it works for: hidden templates have no names.
TEMPLATE: LiteralString = f"""
    LEFT JOIN templates t
           ON t.id = v.template_id
              AND (%(templates_all)s OR t.organization_id = ANY(%(templates_organizations)s)
                   OR {shared("t")})
"""

LIST: LiteralString = f"""
    SELECT d.id, d.organization_id, d.created_at, d.last_seen_at, d.name, d.version, d.api_version,
           d.provisioners, d.tags, d.key_id, d.replica_id,
           coalesce(k.name, '') AS key_name,
           (SELECT jsonb_build_object('id', j.id,
                       'status', CASE WHEN j.canceled_at IS NULL THEN 'running'
                                      ELSE 'canceling' END,
                       'template_name', coalesce(t.name, ''), 'template_icon', coalesce(t.icon, ''),
                       'template_display_name', coalesce(t.display_name, ''))
              FROM provisioner_jobs j
              LEFT JOIN workspace_builds b ON b.job_id = j.id
              LEFT JOIN template_versions v ON v.job_id = j.id OR v.id = b.template_version_id
              {TEMPLATE}
             WHERE j.worker_id = d.id AND j.completed_at IS NULL AND j.lease_token IS NOT NULL
             LIMIT 1) AS current_job,
           (SELECT jsonb_build_object('id', j.id,
                       'status', CASE WHEN j.error <> '' THEN 'failed'
                                      WHEN j.canceled_at IS NULL THEN 'succeeded'
                                      ELSE 'canceled' END,
                       'template_name', coalesce(t.name, ''), 'template_icon', coalesce(t.icon, ''),
                       'template_display_name', coalesce(t.display_name, ''))
              FROM provisioner_jobs j
              LEFT JOIN workspace_builds b ON b.job_id = j.id
              LEFT JOIN template_versions v ON v.job_id = j.id OR v.id = b.template_version_id
              {TEMPLATE}
             WHERE j.worker_id = d.id AND j.completed_at IS NOT NULL
             ORDER BY j.completed_at DESC LIMIT 1) AS previous_job
      FROM provisioner_daemons d
      LEFT JOIN provisioner_keys k ON k.id = d.key_id
     WHERE d.organization_id = %(organization_id)s
       AND (%(reach_all)s OR d.organization_id = ANY(%(reach_organizations)s)
            OR d.organization_id = ANY(%(reach_own_organizations)s))
       AND (%(ids)s::uuid[] IS NULL OR d.id = ANY(%(ids)s))
       AND d.tags @> %(tags)s
     ORDER BY d.name
     LIMIT %(limit)s
"""

MATCHED: LiteralString = """
    SELECT count(*) AS count,
           count(*) FILTER (WHERE replica_id IS NOT NULL AND last_seen_at >= %(stale_before)s)
               AS available,
           max(last_seen_at) AS most_recently_seen
      FROM provisioner_daemons
     WHERE organization_id = %(organization_id)s
       AND CASE WHEN %(tags)s::jsonb - 'scope' - 'owner' = '{}'::jsonb THEN tags = %(tags)s::jsonb
                ELSE %(tags)s::jsonb <@ tags END
"""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a replica says of its workers."""

    replica_id: UUID
    version: str
    api_version: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Matched:
    """How many daemons could take a job with certain tags."""

    count: int
    available: int
    most_recently_seen: datetime | None


async def taken(tx: Tx, replica_id: UUID) -> list[str]:
    """Return the names that other living replicas use; hold others off until ``tx`` ends."""
    await tx.run(LOCK)
    args = {"replica_id": replica_id, "stale_before": tx.now - STALE_DAEMON}
    return await tx.values(TAKEN, args)


async def register(tx: Tx, replica: Registration, names: Sequence[str]) -> int:
    """Say that these workers live, in every organization; return how many rows say so."""
    args = {
        "replica_id": replica.replica_id,
        "version": replica.version,
        "api_version": replica.api_version,
        "tags": jsonb(dict(replica.tags)),
        "names": list(names),
        "key_id": BUILT_IN,
        "now": tx.now,
    }
    return await tx.run(REGISTER, args)


async def leave(tx: Tx, replica_id: UUID) -> None:
    """Say that a replica's workers are gone, and forget those long gone."""
    await tx.run(LEAVE, {"replica_id": replica_id})
    await tx.run(FORGET, {"now": tx.now})


async def search(tx: Tx, wanted: Mapping[str, Any]) -> list[DaemonView]:
    """Return an organization's daemons. ``wanted``: organization_id, ids, tags, limit."""
    reach = tx.actor.reach(Action.READ, Kind.PROVISIONER_DAEMON).args()
    templates = tx.actor.reach(Action.READ, Kind.TEMPLATE)
    args = {
        **wanted,
        "tags": jsonb(wanted["tags"]),
        **reach,
        "templates_all": templates.all,
        "templates_organizations": templates.organizations,
        **templates.shared_args(),
    }
    return await tx.all(DaemonView, LIST, args)


async def matched(tx: Tx, organization_id: UUID, tags: Mapping[str, str]) -> Matched:
    """Return how many daemons could take a job with these tags."""
    args = {
        "organization_id": organization_id,
        "tags": jsonb(dict(tags)),
        "stale_before": tx.now - STALE_DAEMON,
    }
    found = await tx.one(Matched, MATCHED, args)
    assert found is not None
    return found


async def arrive(tx: Tx, guest: Guest, replica_id: UUID, api_version: str) -> UUID | None:
    """Say that a daemon elsewhere lives; return its id, or None when the name is one of ours."""
    args = {
        "organization_id": guest.organization_id,
        "name": guest.name,
        "version": guest.version,
        "api_version": api_version,
        "tags": jsonb(dict(guest.tags)),
        "replica_id": replica_id,
        "key_id": guest.key_id,
        "line_id": guest.line_id,
        "stale_before": tx.now - STALE_DAEMON,
        "now": tx.now,
    }
    return await tx.value(ARRIVE, args)


async def depart(tx: Tx, line_id: UUID) -> None:
    """Say that a daemon elsewhere is gone, unless it has come back by another line."""
    await tx.run(DEPART, {"line_id": line_id})
