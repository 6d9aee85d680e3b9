"""The queue in PostgreSQL. Times are the caller's clock; a lease is checked by its token."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

from server.kit.authz import Action, Kind
from server.kit.db import Tx, jsonb
from server.provisioning.model import (
    HUNG,
    LEASE,
    REAP_AT_ONCE,
    STALE_PENDING,
    Acquired,
    Job,
    JobView,
    NewJob,
)

COLUMNS: LiteralString = """
    j.id, j.organization_id, j.initiator_id, j.type, j.file_id, j.input, j.tags, j.priority,
    j.worker_id, j.attempt, j.lease_token, j.lease_expires_at, j.created_at, j.updated_at,
    j.started_at, j.canceled_at, j.completed_at, j.error, j.error_code, j.logs_length,
    j.logs_overflowed
"""

INSERT: LiteralString = f"""
    INSERT INTO provisioner_jobs AS j
           (id, organization_id, initiator_id, type, file_id, input, tags, priority,
            created_at, updated_at)
    VALUES (%(id)s, %(organization_id)s, %(initiator_id)s, %(type)s, %(file_id)s, %(input)s,
            %(tags)s, %(priority)s, %(now)s, %(now)s)
    RETURNING {COLUMNS}
"""

GET: LiteralString = f"SELECT {COLUMNS} FROM provisioner_jobs j WHERE j.id = %(id)s"
LOCK: LiteralString = f"{GET} FOR UPDATE"

# A job that only says whose it is (scope, owner) goes to workers that only say so too.
ACQUIRE: LiteralString = f"""
    WITH candidate AS (
        SELECT id, started_at IS NOT NULL AS resumed
          FROM provisioner_jobs
         WHERE completed_at IS NULL
           AND (lease_token IS NULL OR lease_expires_at < %(now)s)
           AND type = ANY(%(types)s)
           AND (%(organization_id)s::uuid IS NULL OR organization_id = %(organization_id)s)
           AND CASE WHEN tags - 'scope' - 'owner' = '{{}}'::jsonb THEN tags = %(tags)s::jsonb
                    ELSE tags <@ %(tags)s::jsonb END
         ORDER BY priority DESC, created_at, id
         LIMIT 1
           FOR UPDATE SKIP LOCKED
    )
    UPDATE provisioner_jobs j
       SET lease_token = %(lease_token)s, lease_expires_at = %(lease_expires_at)s,
           started_at = COALESCE(j.started_at, %(now)s), updated_at = %(now)s,
           attempt = j.attempt + 1,
           worker_id = (SELECT d.id FROM provisioner_daemons d
                         WHERE d.organization_id = j.organization_id AND d.name = %(worker)s)
      FROM candidate
     WHERE j.id = candidate.id
    RETURNING {COLUMNS}, candidate.resumed
"""

RENEW: LiteralString = """
    UPDATE provisioner_jobs
       SET lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
     WHERE id = %(id)s AND lease_token = %(lease_token)s AND completed_at IS NULL
    RETURNING canceled_at IS NOT NULL
"""

LOCK_LEASED: LiteralString = f"""
    SELECT {COLUMNS} FROM provisioner_jobs j
     WHERE j.id = %(id)s AND j.lease_token = %(lease_token)s AND j.completed_at IS NULL
       FOR UPDATE
"""

RELEASE: LiteralString = """
    UPDATE provisioner_jobs
       SET lease_token = NULL, lease_expires_at = NULL, updated_at = %(now)s,
           attempt = greatest(attempt - 1, 0)
     WHERE id = %(id)s
"""

CANCEL: LiteralString = f"""
    UPDATE provisioner_jobs j
       SET canceled_at = %(now)s, completed_at = %(completed_at)s,
           updated_at = CASE WHEN %(completed_at)s::timestamptz IS NULL
                             THEN updated_at ELSE %(now)s END
     WHERE j.id = %(id)s
    RETURNING {COLUMNS}
"""

COMPLETE: LiteralString = f"""
    UPDATE provisioner_jobs j
       SET completed_at = %(now)s, updated_at = %(now)s, lease_token = NULL,
           lease_expires_at = NULL, error = %(error)s, error_code = %(error_code)s,
           canceled_at = CASE WHEN %(keep_canceled)s THEN canceled_at END
     WHERE j.id = %(id)s
    RETURNING {COLUMNS}
"""

HANGING: LiteralString = f"""
    SELECT {COLUMNS} FROM provisioner_jobs j
     WHERE j.completed_at IS NULL
       AND (j.lease_token IS NULL OR j.lease_expires_at < %(now)s)
       AND CASE WHEN j.started_at IS NULL THEN j.updated_at < %(pending_before)s
                ELSE j.updated_at < %(running_before)s END
     ORDER BY j.updated_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
"""

LIVE: LiteralString = """
    SELECT id FROM provisioner_jobs WHERE id = ANY(%(ids)s) AND completed_at IS NULL
"""

VIEWS: LiteralString = f"""
    WITH queue AS (
        SELECT id, row_number() OVER (ORDER BY priority DESC, created_at, id) AS position,
               count(*) OVER () AS size
          FROM provisioner_jobs
         WHERE completed_at IS NULL AND started_at IS NULL
    )
    SELECT {COLUMNS},
           COALESCE(d.name, '') AS worker_name,
           COALESCE(queue.position, 0) AS queue_position,
           COALESCE(queue.size, 0) AS queue_size,
           v.id AS template_version_id,
           COALESCE(v.name, '') AS template_version_name,
           t.id AS template_id,
           COALESCE(t.name, '') AS template_name,
           COALESCE(t.display_name, '') AS template_display_name,
           COALESCE(t.icon, '') AS template_icon,
           w.id AS workspace_id,
           COALESCE(w.name, '') AS workspace_name
      FROM provisioner_jobs j
      LEFT JOIN queue ON queue.id = j.id
      LEFT JOIN provisioner_daemons d ON d.id = j.worker_id
      LEFT JOIN workspace_builds b ON b.job_id = j.id
      LEFT JOIN workspaces w ON w.id = b.workspace_id
      LEFT JOIN template_versions v ON v.id = COALESCE(b.template_version_id,
                (SELECT own.id FROM template_versions own WHERE own.job_id = j.id))
      LEFT JOIN templates t ON t.id = COALESCE(w.template_id, v.template_id)
"""

VIEWS_BY_ID: LiteralString = f"{VIEWS} WHERE j.id = ANY(%(ids)s)"

STATE_OF: LiteralString = """
    CASE WHEN j.completed_at IS NOT NULL THEN
              CASE WHEN j.error <> '' THEN 'failed'
                   WHEN j.canceled_at IS NOT NULL THEN 'canceled' ELSE 'succeeded' END
         WHEN j.canceled_at IS NOT NULL THEN 'canceling'
         WHEN j.started_at IS NULL THEN 'pending' ELSE 'running' END
"""

# The initiator owns a job: members see their own ones.
LIST: LiteralString = f"""
    {VIEWS}
     WHERE j.organization_id = %(organization_id)s
       AND (%(reach_all)s OR j.organization_id = ANY(%(reach_organizations)s)
            OR (j.initiator_id = %(reach_own)s
                AND j.organization_id = ANY(%(reach_own_organizations)s)))
       AND (%(ids)s::uuid[] IS NULL OR j.id = ANY(%(ids)s))
       AND (%(states)s::text[] IS NULL OR {STATE_OF} = ANY(%(states)s))
       AND (%(initiator_id)s::uuid IS NULL OR j.initiator_id = %(initiator_id)s)
       AND j.tags @> %(tags)s
     ORDER BY j.created_at DESC, j.id
     LIMIT %(limit)s
"""


async def insert(tx: Tx, new: NewJob) -> Job:
    """Queue a job."""
    args = {
        "id": uuid4(),
        "organization_id": new.organization_id,
        "initiator_id": new.initiator_id,
        "type": new.type,
        "file_id": new.file_id,
        "input": jsonb({key: _plain(value) for key, value in new.input.items()}),
        "tags": jsonb(dict(new.tags)),
        "priority": new.priority,
        "now": tx.now,
    }
    job = await tx.one(Job, INSERT, args)
    assert job is not None
    return job


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


async def get(tx: Tx, job_id: UUID) -> Job | None:
    """Return a job."""
    return await tx.one(Job, GET, {"id": job_id})


async def lock(tx: Tx, job_id: UUID) -> Job | None:
    """Return a job and keep it from changing until the end of ``tx``."""
    return await tx.one(Job, LOCK, {"id": job_id})


async def acquire(
    tx: Tx,
    worker: str,
    types: Sequence[str],
    tags: dict[str, str],
    organization_id: UUID | None = None,
    lease: timedelta = LEASE,
) -> Acquired | None:
    """Lease the first job in the queue that this worker may do, of one organization or of all."""
    args = {
        "now": tx.now,
        "types": list(types),
        "tags": jsonb(tags),
        "worker": worker,
        "organization_id": organization_id,
        "lease_token": uuid4(),
        "lease_expires_at": tx.now + lease,
    }
    return await tx.one(Acquired, ACQUIRE, args)


async def renew(tx: Tx, job: Job, lease: timedelta = LEASE) -> bool | None:
    """Renew the lease; return whether the job is to be cancelled, or None if the lease is lost."""
    args = {
        "id": job.id,
        "lease_token": job.lease_token,
        "lease_expires_at": tx.now + lease,
        "now": tx.now,
    }
    return await tx.value(RENEW, args)


async def lock_leased(tx: Tx, job: Job) -> Job | None:
    """Return the job as it is now, locked, if the lease that ``job`` carries still holds."""
    return await tx.one(Job, LOCK_LEASED, {"id": job.id, "lease_token": job.lease_token})


async def release(tx: Tx, job_id: UUID) -> None:
    """Give a job back; the run does not count as an attempt."""
    await tx.run(RELEASE, {"id": job_id, "now": tx.now})


async def cancel(tx: Tx, job_id: UUID, completed_at: datetime | None) -> Job:
    """Mark a job as cancelled, and as ended where nobody works on it."""
    args = {"id": job_id, "now": tx.now, "completed_at": completed_at}
    job = await tx.one(Job, CANCEL, args)
    assert job is not None
    return job


async def complete(
    tx: Tx, job_id: UUID, error: str = "", error_code: str = "", *, keep_canceled: bool = True
) -> Job:
    """End a job."""
    args = {
        "id": job_id,
        "now": tx.now,
        "error": error,
        "error_code": error_code,
        "keep_canceled": keep_canceled,
    }
    job = await tx.one(Job, COMPLETE, args)
    assert job is not None
    return job


async def hanging(tx: Tx) -> list[Job]:
    """Return and lock jobs that nobody has worked on for too long."""
    args = {
        "now": tx.now,
        "pending_before": tx.now - STALE_PENDING,
        "running_before": tx.now - HUNG,
        "limit": REAP_AT_ONCE,
    }
    return await tx.all(Job, HANGING, args)


async def live(tx: Tx, ids: Sequence[UUID]) -> list[UUID]:
    """Return which of these jobs have not ended."""
    return await tx.values(LIVE, {"ids": list(ids)}) if ids else []


async def search(tx: Tx, wanted: Mapping[str, Any]) -> list[JobView]:
    """Return an organization's jobs that the actor may see and that fit ``wanted``, newest first.

    ``wanted``: organization_id, ids, states, initiator_id, tags, limit.
    """
    reach = tx.actor.reach(Action.READ, Kind.PROVISIONER_JOBS).args()
    tags = jsonb(wanted["tags"])
    return await tx.all(JobView, LIST, {**wanted, "tags": tags, **reach})


async def views(tx: Tx, ids: Sequence[UUID]) -> list[JobView]:
    """Return jobs with their place in the queue and what they are about."""
    return await tx.all(JobView, VIEWS_BY_ID, {"ids": list(ids)}) if ids else []
