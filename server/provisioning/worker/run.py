"""One run of one job: load, work, apply, under a lease that is renewed meanwhile."""

import asyncio
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from coder_cli.kit.clock import Clock
from server.kit.authz import as_system
from server.kit.db import Database, Tx
from server.kit.errors import Unavailable
from server.kit.pubsub import Pubsub
from server.provisioning.actions.kinds import JobKind, Registry
from server.provisioning.errors import JobFailed, LeaseLost
from server.provisioning.events import JobChanged, LogsAdded, cancel_topic
from server.provisioning.model import (
    BEAT_SECONDS,
    GIVE_UP,
    Acquired,
    Asked,
    Ending,
    Job,
    Line,
    Move,
    judge,
)
from server.provisioning.store import jobs as store
from server.provisioning.store import logs as log_store
from server.provisioning.worker.console import DAEMON, JobConsole
from server.provisioning.worker.waiting import within
from server.terraform import Stage, Terraform

log = structlog.get_logger()

SYSTEM = as_system("provisioner")
FLUSH_SECONDS = 0.25
BEAT_TIMEOUT = 3.0
KILL_GRACE = 15.0
"""Terraform's driver kills what does not stop in time; this is for work that ignores even that."""

SALVAGE_SECONDS = 60.0
SAVE_FOR = timedelta(minutes=10)
"""How long a result is offered to a database that does not answer, before it is left to the work
directory and whoever takes the job over."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all runs of a replica share."""

    db: Database
    pubsub: Pubsub
    registry: Registry
    terraform: Terraform
    clock: Clock
    jobs_dir: Path
    hostname: str
    force_cancel: timedelta


@dataclass(frozen=True, slots=True)
class Result:
    """How the work ended: with an outcome, a failure, or a failure that left an outcome."""

    outcome: object
    failure: JobFailed | None = None
    ask_kind: bool = True
    """False when the kind itself could not even write the failure."""


class Run:
    """One run of one job by one worker."""

    def __init__(self, shop: Workshop, job: Acquired) -> None:
        self.job = job
        self._shop = shop
        self._kind: JobKind[Any, Any] = shop.registry.kind(job.type)
        self._console = JobConsole(job.id, shop.jobs_dir / str(job.id), shop.clock)
        self._asked = Asked.NOTHING
        self._lost = False
        self._settling = False
        self._writing = asyncio.Lock()
        """Held from taking lines out of the console until they are stored, in order."""
        self._work: asyncio.Task[Result] | None = None
        self._stopping = asyncio.Event()
        if job.exhausted:
            self._ask(Asked.EXHAUSTED)
        elif job.canceled_at is not None:
            self._ask(Asked.CANCEL)

    async def run(self) -> None:
        """Run the job to an end: finished, failed, cancelled, released, or lost to another."""
        async with asyncio.TaskGroup() as group:
            self._work = group.create_task(self._attempt())
            chores = [
                group.create_task(chore())
                for chore in (self._beat, self._flush, self._hear_cancel, self._force)
            ]
            await asyncio.wait([self._work])
            result = await self._result(self._work)
            done_with = await self._settle(result)
            for chore in chores:
                chore.cancel()
        if done_with:
            await asyncio.to_thread(_remove, self._console.work_dir)

    def release(self) -> None:
        """Ask the work to end, to be gone on with elsewhere."""
        self._ask(Asked.RELEASE)

    def kill(self) -> None:
        """End the work without waiting for it."""
        if self._work is not None:
            self._work.cancel()

    def _ask(self, what: Asked) -> None:
        self._asked = max(self._asked, what)
        self._console.cancelled.set()
        if self._asked is not Asked.RELEASE:
            self._stopping.set()

    async def _attempt(self) -> Result:
        try:
            await self._set_up()
            return Result(await self._do(self._console))
        except JobFailed as failure:
            return Result(failure.outcome, failure)
        except Exception as crash:
            log.exception("job crashed", job_id=str(self.job.id))
            return Result(None, JobFailed(f"The job crashed: {crash}"))

    async def _do(self, console: JobConsole) -> object:
        async with self._shop.db.tx(SYSTEM) as tx:
            loaded = await self._kind.load(tx, self.job)
        return await self._kind.work(self.job, loaded, console)

    async def _set_up(self) -> None:
        """Make an empty work directory, and save what a lost run left in it."""
        console, shop = self._console, self._shop
        if self.job.resumed:
            note = f"The server that ran this job is gone. The job is resumed on {shop.hostname}."
            console.log("warn", Stage.SETTING_UP, note, source=DAEMON)
        await self._recover(console)
        await asyncio.to_thread(_empty, console.work_dir)

    async def _recover(self, console: JobConsole) -> None:
        if not await asyncio.to_thread(console.work_dir.exists):
            return
        console.recovered = await self._shop.terraform.sweep(console.work_dir)
        if console.recovered is not None:
            note = "The Terraform state of the run before was recovered."
            console.log("info", Stage.SETTING_UP, note, source=DAEMON)

    async def _result(self, work: asyncio.Task[Result]) -> Result:
        if not work.cancelled():
            return work.result()
        if self._lost or self._asked is Asked.RELEASE:
            return Result(None, JobFailed("The job was interrupted."))
        return Result(await self._salvage(), JobFailed("The job was killed."))

    async def _salvage(self) -> object:
        """Return what a killed work left: a second go that is cancelled from the start tells."""
        console = JobConsole(self.job.id, self._console.work_dir, self._shop.clock)
        console.cancelled.set()
        found: list[object] = []

        async def look() -> None:
            await self._recover(console)
            await asyncio.to_thread(_empty, console.work_dir)
            try:
                await self._do(console)
            except JobFailed as failure:
                found.append(failure.outcome)

        try:
            await within(self._shop.clock, SALVAGE_SECONDS, look())
        except Exception:
            log.exception("nothing could be saved of a killed job", job_id=str(self.job.id))
        return found[0] if found else None

    async def _beat(self) -> None:
        """Renew the lease; stop the work in time when that is not possible."""
        clock = self._shop.clock
        renewed = clock.monotonic()
        while True:
            await clock.sleep(BEAT_SECONDS)
            began = clock.monotonic()
            try:
                async with asyncio.timeout(BEAT_TIMEOUT), self._shop.db.tx(SYSTEM) as tx:
                    cancel = await store.renew(tx, self.job)
            except (Unavailable, TimeoutError):
                if clock.monotonic() - renewed >= GIVE_UP.total_seconds():
                    self._lose("the lease could not be renewed")
                continue
            if cancel is None:
                self._find_lost()
                return
            renewed = began
            if cancel:
                self._ask(Asked.CANCEL)

    def _find_lost(self) -> None:
        """Stop: the job's row knows no lease of ours. At the end that is our own doing."""
        if not self._settling:
            self._lose("another worker has the job")

    def _lose(self, why: str) -> None:
        log.warning("lease lost", job_id=str(self.job.id), reason=why)
        self._lost = True
        self.kill()

    async def _hear_cancel(self) -> None:
        with self._shop.pubsub.bell(cancel_topic(self.job.id)) as bell:
            while True:
                await bell.wait()
                try:
                    async with self._shop.db.tx(SYSTEM) as tx:
                        job = await store.get(tx, self.job.id)
                except Unavailable:
                    continue  # The next heartbeat tells.
                if job is not None and job.canceled_at is not None:
                    self._ask(Asked.CANCEL)

    async def _force(self) -> None:
        await self._stopping.wait()
        patience = self._shop.force_cancel.total_seconds() + KILL_GRACE
        await self._shop.clock.sleep(patience)
        self._asked = Asked.FORCE
        self.kill()

    async def _flush(self) -> None:
        while True:
            await self._console.spoke.wait()
            await self._shop.clock.sleep(FLUSH_SECONDS)
            try:
                async with self._writing:
                    await self._flush_once()
            except LeaseLost:
                self._find_lost()
                return

    async def _flush_once(self) -> None:
        lines = self._console.take()
        try:
            async with self._shop.db.tx(SYSTEM) as tx:
                await self._append(tx, await self._leased(tx), lines)
        except Unavailable:
            self._console.give_back(lines)

    async def _leased(self, tx: Tx) -> Job:
        job = await store.lock_leased(tx, self.job)
        if job is None:
            raise LeaseLost
        return job

    async def _append(self, tx: Tx, job: Job, lines: list[Line]) -> None:
        if lines:
            self._console.written(await log_store.append(tx, job, lines))
            await tx.announce(LogsAdded(job_id=job.id))

    async def _settle(self, result: Result) -> bool:
        """Write how the run ended; return whether its work directory may go.

        A database that is away is waited for, but not for ever.
        """
        clock = self._shop.clock
        self._settling = True
        until = clock.monotonic() + SAVE_FOR.total_seconds()
        delay = 0.5
        while not self._lost:
            try:
                await self._try_to_settle(result)
                return result.outcome is not None or not self._released(result)
            except LeaseLost:
                self._lose("another worker has the job")
            except Unavailable:
                if clock.monotonic() > until:
                    log.warning("a job's result could not be saved", job_id=str(self.job.id))
                    return False
                await clock.sleep(delay)
                delay = min(delay * 2, 10.0)
            except JobFailed as refusal:
                first = result.failure
                result = Result(result.outcome, first or refusal, ask_kind=first is None)
            except Exception:
                log.exception("the end of a job was not accepted", job_id=str(self.job.id))
                if not result.ask_kind:
                    return False
                # Without its last words and its kind a job must still end.
                broken = JobFailed("The end of the job could not be saved.")
                result = Result(result.outcome, result.failure or broken, ask_kind=False)
        return False

    def _released(self, result: Result) -> bool:
        return judge(result.failure, self._asked).move is Move.RELEASE

    async def _try_to_settle(self, result: Result) -> None:
        async with self._writing:
            lines = self._console.take()
            try:
                await self._write_end(result, lines)
            except (Unavailable, JobFailed):
                self._console.give_back(lines)
                raise

    async def _write_end(self, result: Result, lines: list[Line]) -> None:
        ending = judge(result.failure, self._asked)
        async with self._shop.db.tx(SYSTEM) as tx:
            job = await self._leased(tx)
            await self._append(tx, job, lines)
            await log_store.insert(tx, job.id, self._last_lines(tx.now))
            await self._tell_kind(tx, job, result, ending)
            await _move(tx, job, ending)
            await tx.announce(JobChanged(job_id=job.id))

    def _last_lines(self, now: datetime) -> list[Line]:
        """Return the heading of the end and what was cut: both are said whatever the limit."""
        heading = Line(now, DAEMON, "info", Stage.CLEANING_UP, "")
        words = self._console.last_words()
        return [heading, replace(heading, level="warn", output=words)] if words else [heading]

    async def _tell_kind(self, tx: Tx, job: Job, result: Result, ending: Ending) -> None:
        if not result.ask_kind:
            return
        try:
            if ending.move is Move.FINISH:
                await self._kind.apply(tx, job, result.outcome)
            elif ending.move is Move.RELEASE:
                await self._kind.released(tx, job, result.outcome)
            else:
                await self._kind.failed(tx, job, result.outcome)
        except (JobFailed, Unavailable):
            raise
        except Exception as crash:
            log.exception("a job's result was not accepted", job_id=str(job.id))
            raise JobFailed(f"The result of the job could not be saved: {crash}") from crash


async def _move(tx: Tx, job: Job, ending: Ending) -> None:
    if ending.move is Move.RELEASE:
        await store.release(tx, job.id)
        return
    await store.complete(
        tx, job.id, ending.error, ending.code, keep_canceled=ending.move is not Move.FINISH
    )


def _empty(folder: Path) -> None:
    _remove(folder)
    folder.mkdir(mode=0o700, parents=True)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
