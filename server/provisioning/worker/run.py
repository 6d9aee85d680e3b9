"""One run of one job: load, work, apply, under a lease that is renewed meanwhile."""

import asyncio
import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import structlog

from coder_cli.kit.clock import Clock
from server.kit.errors import Unavailable
from server.provisioning.errors import JobFailed, LeaseLost
from server.provisioning.model import (
    BEAT_SECONDS,
    DAEMON,
    Asked,
    Closing,
    Move,
    Result,
    judge,
)
from server.provisioning.worker.console import JobConsole
from server.provisioning.worker.source import Lease
from server.provisioning.worker.waiting import within
from server.terraform import STATE_FILES, Stage, Terraform

log = structlog.get_logger()

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
    """What all runs of a host share."""

    terraform: Terraform
    clock: Clock
    jobs_dir: Path
    hostname: str
    force_cancel: timedelta


class Run:
    """One run of one job by one worker."""

    def __init__(self, shop: Workshop, lease: Lease) -> None:
        self.job = lease.job
        self._shop = shop
        self._lease = lease
        self._console = JobConsole(self.job.id, shop.jobs_dir / str(self.job.id), shop.clock)
        self._asked = Asked.NOTHING
        self._lost = False
        self._settling = False
        self._writing = asyncio.Lock()
        """Held from taking lines out of the console until they are stored, in order."""
        self._work: asyncio.Task[Result] | None = None
        self._stopping = asyncio.Event()
        if self.job.exhausted:
            self._ask(Asked.EXHAUSTED)
        elif self.job.canceled_at is not None:
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
            return Result(await self._lease.work(self._console))
        except JobFailed as failure:
            return Result(failure.outcome, failure)
        except Exception as crash:
            log.exception("job crashed", job_id=str(self.job.id))
            # What the run before left is known to nobody else.
            left = None if self._console.recovered is None else await self._salvage()
            return Result(left, JobFailed(f"The job crashed: {crash}"))

    async def _set_up(self) -> None:
        """Make a clean work directory, and read the state that a lost run left in it."""
        console, shop = self._console, self._shop
        if self.job.resumed:
            note = f"The server that ran this job is gone. The job is resumed on {shop.hostname}."
            console.log("warn", Stage.SETTING_UP, note, source=DAEMON)
        await self._recover(console)
        try:
            await asyncio.to_thread(_empty, console.work_dir)
        except OSError as error:
            raise JobFailed(
                f"{shop.hostname} cannot prepare {console.work_dir}: {error.strerror}. See that "
                "its disk has room and may be written to, then try again."
            ) from error

    async def _recover(self, console: JobConsole) -> None:
        if not await asyncio.to_thread(console.work_dir.exists):
            return
        found = await self._shop.terraform.sweep(console.work_dir)
        if found is not None:
            console.recovered = found
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
        console.recovered = self._console.recovered
        console.cancelled.set()
        found: list[object] = []

        async def look() -> None:
            await self._recover(console)
            await asyncio.to_thread(_empty, console.work_dir)
            try:
                await self._lease.work(console)
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
                async with asyncio.timeout(BEAT_TIMEOUT):
                    cancel = await self._lease.renew()
            except (Unavailable, TimeoutError):
                if clock.monotonic() - renewed >= self._lease.patience.total_seconds():
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
        await self._lease.cancelled()
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
            self._console.written(await self._lease.say(lines))
        except Unavailable:
            self._console.give_back(lines)

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
                await self._lease.close(
                    Closing(self._presented(result), self._asked, tuple(lines), *self._console.cut)
                )
            except (Unavailable, JobFailed):
                self._console.give_back(lines)
                raise

    def _presented(self, result: Result) -> Result:
        """Return a result whose failure tells no secret."""
        failure = result.failure
        if failure is None:
            return result
        words = self._console.concealed(failure.message)
        return replace(result, failure=JobFailed(words, failure.code, failure.outcome))


def _empty(folder: Path) -> None:
    """Make a private directory without anything but a state, until that is stored elsewhere."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for entry in folder.iterdir():
        if entry.name in STATE_FILES:
            continue
        if entry.is_dir() and not entry.is_symlink():
            _remove(entry)
        else:
            entry.unlink()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
