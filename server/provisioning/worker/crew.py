"""The runs of one host: how they begin, how they stop in order, and what they leave behind."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from server.provisioning.errors import JobFailed
from server.provisioning.model import Asked, Closing, Result
from server.provisioning.worker.run import Run, Workshop
from server.provisioning.worker.source import JobSource
from server.provisioning.worker.waiting import within

RELEASE_SECONDS = 20.0
"""How long an interrupted Terraform may take to save its state when the server shuts down."""

KILLED_SECONDS = 5.0
"""How long a killed run may take to write that it was."""

WhichLive = Callable[[list[UUID]], Awaitable[Collection[UUID]]]
"""Returns which of these jobs have not ended."""


class Crew:
    """Everything that runs on one host at the moment."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self._runs: set[Run] = set()
        self._closed = False
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def running(self) -> int:
        """Return how many jobs run here at the moment."""
        return len(self._runs)

    async def turn(self, source: JobSource, name: str) -> bool:
        """Take one job and run it to its end; return False when there was none."""
        lease = await source.acquire(name)
        if lease is None:
            return False
        if self._closed:
            # It came while we were stopping: the next one takes it at once.
            interrupted = Result(None, JobFailed("The worker is stopping."))
            await lease.close(Closing(interrupted, Asked.RELEASE))
            return False
        run = Run(self.shop, lease)
        self._runs.add(run)
        self._quiet.clear()
        try:
            await run.run()
        finally:
            self._runs.discard(run)
            if not self._runs:
                self._quiet.set()
        return True

    async def stop(self, grace: float) -> None:
        """Give running jobs ``grace`` seconds, then give them back, and at last kill them."""
        self._closed = True
        clock = self.shop.clock
        if not await within(clock, grace, self._quiet.wait()):
            for run in tuple(self._runs):
                run.release()
        if not await within(clock, RELEASE_SECONDS, self._quiet.wait()):
            for run in tuple(self._runs):
                run.kill()
            await within(clock, KILLED_SECONDS, self._quiet.wait())

    async def tidy(self, which_live: WhichLive) -> None:
        """Remove what runs of jobs that ended elsewhere left on this host."""
        folders = await asyncio.to_thread(_folders, self.shop.jobs_dir)
        live = await which_live(list(folders)) if folders else ()
        for job_id, folder in folders.items():
            if job_id not in live:
                await self.shop.terraform.sweep(folder)
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _folders(parent: Path) -> dict[UUID, Path]:
    """Return the work directories in ``parent`` by their jobs' ids."""
    found: dict[UUID, Path] = {}
    for folder in parent.iterdir() if parent.is_dir() else ():
        with suppress(ValueError):
            found[UUID(folder.name)] = folder
    return found
