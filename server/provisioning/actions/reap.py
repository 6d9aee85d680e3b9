"""End jobs that nobody works on: no worker took them, or their worker vanished for good."""

import structlog

from server.kit.db import Tx
from server.provisioning.actions.kinds import Registry
from server.provisioning.events import JobChanged, LogsAdded
from server.provisioning.model import HUNG, STALE_PENDING, Job, Line, State
from server.provisioning.store import jobs as store
from server.provisioning.store import logs as log_store

log = structlog.get_logger()

RULE = "===================="


async def reap(tx: Tx, registry: Registry) -> int:
    """Fail jobs that hang, at most ten at a time; return how many."""
    hanging = await store.hanging(tx)
    for job in hanging:
        await _end(tx, registry, job)
    return len(hanging)


async def _end(tx: Tx, registry: Registry, job: Job) -> None:
    pending = job.state is State.PENDING
    minutes = int((STALE_PENDING if pending else HUNG).total_seconds() // 60)
    detected = (
        f"Build has been detected as {'pending' if pending else 'hung'} for {minutes} minutes"
    )
    words = ("", RULE, f"Coder: {detected} and will be terminated.", RULE, "")
    lines = [Line(tx.now, "provisioner_daemon", "error", "", text) for text in words]
    await log_store.insert(tx, job.id, lines)
    await _tell_kind(tx, registry, job)
    error = f"Coder: {detected} and has been terminated by the reaper."
    await store.complete(tx, job.id, error)
    await tx.announce(LogsAdded(job_id=job.id))
    await tx.announce(JobChanged(job_id=job.id))
    log.warning("job reaped", job_id=str(job.id), pending=pending)


async def _tell_kind(tx: Tx, registry: Registry, job: Job) -> None:
    try:
        async with tx.savepoint():
            await registry.kind(job.type).failed(tx, job, None)
    except Exception:
        # The job must end all the same: whoever waits for it waits for a state to act on.
        log.exception("a reaped job's kind failed too", job_id=str(job.id))
