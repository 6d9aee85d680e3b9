"""Leased jobs by their rows: renewed, listened to, and ended in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from server.kit.authz import as_system
from server.kit.db import Database, Tx
from server.kit.errors import Unavailable
from server.kit.pubsub import Pubsub
from server.provisioning.actions.kinds import JobKind, Order, Registry
from server.provisioning.errors import JobFailed, LeaseLost
from server.provisioning.events import JobChanged, LogsAdded, cancel_topic
from server.provisioning.model import (
    DAEMON,
    LEASE,
    Acquired,
    Closing,
    Ending,
    Fitted,
    Job,
    Line,
    Move,
    left_out,
)
from server.provisioning.store import jobs as store
from server.provisioning.store import logs as log_store
from server.terraform import Stage

log = structlog.get_logger()

SYSTEM = as_system("provisioner")


@dataclass(frozen=True, slots=True)
class Desk:
    """What is needed to act on a job's rows."""

    db: Database
    pubsub: Pubsub
    registry: Registry


async def load(desk: Desk, job: Job) -> Order:
    """Return what a leased job asks of terraform.

    Raises:
        JobFailed: it cannot be done.
    """
    kind = desk.registry.kind(job.type)
    async with desk.db.tx(SYSTEM) as tx:
        order = await kind.load(tx, job)
    return await kind.complete(order)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one leased job; the lease is checked by the token that ``job`` carries.

    What the methods promise is said by ``worker.source.Lease``.
    """

    desk: Desk
    job: Acquired
    length: timedelta = field(default=LEASE, kw_only=True)

    @property
    def _kind(self) -> JobKind[Any]:
        return self.desk.registry.kind(self.job.type)

    async def renew(self) -> bool | None:
        """Keep the job for a while; return whether it is to be cancelled, None if it is lost."""
        async with self.desk.db.tx(SYSTEM) as tx:
            return await store.renew(tx, self.job, self.length)

    async def cancelled(self) -> None:
        """Return once somebody has asked the job to end."""
        with self.desk.pubsub.bell(cancel_topic(self.job.id)) as bell:
            while True:
                await bell.wait()
                try:
                    async with self.desk.db.tx(SYSTEM) as tx:
                        job = await store.get(tx, self.job.id)
                except Unavailable:
                    continue  # The next heartbeat tells.
                if job is not None and job.canceled_at is not None:
                    return

    async def say(self, lines: Sequence[Line]) -> Fitted:
        """Store lines of the log; return what was kept."""
        async with self.desk.db.tx(SYSTEM) as tx:
            return await _append(tx, await self._leased(tx), lines)

    async def close(self, closing: Closing) -> None:
        """Write how the run ended, in one transaction with what its kind writes."""
        ending = closing.ending
        async with self.desk.db.tx(SYSTEM) as tx:
            job = await self._leased(tx)
            fitted = await _append(tx, job, closing.lines)
            await log_store.insert(tx, job.id, _last_lines(tx.now, closing, fitted))
            await self._tell_kind(tx, job, closing, ending)
            await _move(tx, job, ending)
            await tx.announce(JobChanged(job_id=job.id))

    async def _leased(self, tx: Tx) -> Job:
        job = await store.lock_leased(tx, self.job)
        if job is None:
            raise LeaseLost
        return job

    async def _tell_kind(self, tx: Tx, job: Job, closing: Closing, ending: Ending) -> None:
        outcome: Any = closing.result.outcome
        if not closing.result.ask_kind:
            return
        try:
            if ending.move is Move.FINISH:
                await self._kind.apply(tx, job, outcome)
            elif ending.move is Move.RELEASE:
                await self._kind.released(tx, job, outcome)
            else:
                await self._kind.failed(tx, job, outcome)
        except (JobFailed, Unavailable):
            raise
        except Exception as crash:
            log.exception("a job's result was not accepted", job_id=str(job.id))
            raise JobFailed(f"The result of the job could not be saved: {crash}") from crash


async def _append(tx: Tx, job: Job, lines: Sequence[Line]) -> Fitted:
    fitted = await log_store.append(tx, job, lines)
    if lines:
        await tx.announce(LogsAdded(job_id=job.id))
    return fitted


def _last_lines(now: datetime, closing: Closing, fitted: Fitted) -> list[Line]:
    """Return the heading of the end and what was cut: both are said whatever the limit."""
    heading = Line(now, DAEMON, "info", Stage.CLEANING_UP, "")
    lines, size = closing.cut_lines + fitted.cut_lines, closing.cut_bytes + fitted.cut_bytes
    if not lines:
        return [heading]
    return [heading, replace(heading, level="warn", output=left_out(lines, size))]


async def _move(tx: Tx, job: Job, ending: Ending) -> None:
    if ending.move is Move.RELEASE:
        await store.release(tx, job.id)
        return
    await store.complete(
        tx, job.id, ending.error, ending.code, keep_canceled=ending.move is not Move.FINISH
    )
