"""What jobs say, and how long terraform took for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx
from server.provisioning.model import Fitted, Job, Line, StoredLine, fit
from server.terraform import Timing

ADVANCE: LiteralString = """
    UPDATE provisioner_jobs SET logs_length = %(length)s, logs_overflowed = %(overflowed)s
     WHERE id = %(job_id)s
"""

INSERT: LiteralString = """
    INSERT INTO provisioner_job_logs (job_id, created_at, source, level, stage, output)
    SELECT %(job_id)s, line.created_at, line.source, line.level, line.stage, line.output
      FROM unnest(%(created_at)s::timestamptz[], %(source)s::text[], %(level)s::text[],
                  %(stage)s::text[], %(output)s::text[])
           WITH ORDINALITY AS line (created_at, source, level, stage, output, position)
     ORDER BY line.position
"""

LIST: LiteralString = """
    SELECT id, job_id, created_at, source, level, stage, output
      FROM provisioner_job_logs
     WHERE job_id = %(job_id)s AND id > %(after)s
       AND (%(before)s::bigint IS NULL OR id < %(before)s)
     ORDER BY id
     LIMIT %(limit)s
"""

TAIL: LiteralString = """
    SELECT id, job_id, created_at, source, level, stage, output
      FROM (SELECT * FROM provisioner_job_logs
             WHERE job_id = %(job_id)s ORDER BY id DESC LIMIT %(limit)s) last
     ORDER BY id
"""

INSERT_TIMINGS: LiteralString = """
    INSERT INTO provisioner_job_timings
           (job_id, started_at, ended_at, stage, source, action, resource)
    VALUES (%(job_id)s, %(started_at)s, %(ended_at)s, %(stage)s, %(source)s, %(action)s,
            %(resource)s)
"""

TIMINGS: LiteralString = """
    SELECT job_id, started_at, ended_at, stage, source, action, resource
      FROM provisioner_job_timings
     WHERE job_id = ANY(%(job_ids)s)
     ORDER BY started_at, resource
"""


@dataclass(frozen=True, slots=True)
class TimingRow:
    """How long terraform took for one thing of one job."""

    job_id: UUID
    started_at: datetime
    ended_at: datetime
    stage: str
    source: str
    action: str
    resource: str


async def append(tx: Tx, job: Job, lines: Sequence[Line]) -> Fitted:
    """Add lines to a job that ``tx`` has locked, as many as fit; return what was kept.

    The lock keeps ids in the order of commits, which readers of ``id > after`` rely on.
    """
    fitted = fit(lines, job.logs_length, overflowed=job.logs_overflowed)
    if fitted.lines:
        await insert(tx, job.id, fitted.lines)
        args = {"job_id": job.id, "length": fitted.length, "overflowed": fitted.overflowed}
        await tx.run(ADVANCE, args)
    return fitted


async def insert(tx: Tx, job_id: UUID, lines: Sequence[Line]) -> None:
    """Add lines that do not count against the limit; ``tx`` has locked the job."""
    args = {
        "job_id": job_id,
        "created_at": [line.created_at for line in lines],
        "source": [line.source for line in lines],
        "level": [line.level for line in lines],
        "stage": [line.stage for line in lines],
        # PostgreSQL cannot store NUL in text.
        "output": [line.output.replace("\0", "\N{REPLACEMENT CHARACTER}") for line in lines],
    }
    await tx.run(INSERT, args)


async def lines(
    tx: Tx, job_id: UUID, after: int = 0, before: int | None = None, limit: int | None = None
) -> list[StoredLine]:
    """Return a job's lines between two ids, both excluded."""
    args = {"job_id": job_id, "after": after, "before": before, "limit": limit}
    return await tx.all(StoredLine, LIST, args)


async def tail(tx: Tx, job_id: UUID, limit: int) -> list[StoredLine]:
    """Return the last lines of a job."""
    return await tx.all(StoredLine, TAIL, {"job_id": job_id, "limit": limit})


async def save_timings(tx: Tx, job_id: UUID, timings: Sequence[Timing]) -> None:
    """Store how long terraform took for what."""
    rows = [
        {
            "job_id": job_id,
            "started_at": timing.started_at,
            "ended_at": timing.ended_at,
            "stage": timing.stage,
            "source": timing.source,
            "action": timing.action,
            "resource": timing.resource,
        }
        for timing in timings
    ]
    await tx.many(INSERT_TIMINGS, rows)


async def timings(tx: Tx, job_ids: Sequence[UUID]) -> list[TimingRow]:
    """Return how long terraform took for what."""
    return await tx.all(TimingRow, TIMINGS, {"job_ids": list(job_ids)}) if job_ids else []
