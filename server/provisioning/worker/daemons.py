"""The workers of one replica: they take jobs, say that they live, and stop in order."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import structlog

from coder_cli.kit.build import version
from coder_cli.kit.clock import Clock, SystemClock
from server.kit.db import Database
from server.kit.pubsub import Bell, Pubsub
from server.provisioning.actions.kinds import Registry
from server.provisioning.actions.leases import SYSTEM, Desk
from server.provisioning.actions.reap import reap
from server.provisioning.events import JOBS
from server.provisioning.model import API_VERSION, DAEMON_BEAT_SECONDS, free_names
from server.provisioning.store import daemons as daemon_store
from server.provisioning.store import jobs as store
from server.provisioning.store.daemons import Registration
from server.provisioning.worker.crew import Crew
from server.provisioning.worker.database import DatabaseSource
from server.provisioning.worker.run import Workshop
from server.provisioning.worker.waiting import within
from server.terraform import Terraform

log = structlog.get_logger()


def _organization_tags() -> Mapping[str, str]:
    return {"scope": "organization", "owner": ""}


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """How a replica runs jobs."""

    cache_dir: Path
    """Work directories are in ``jobs`` below it; they outlive a crash, for the next run."""
    hostname: str
    count: int = 3
    poll_seconds: float = 5.0
    """How long a lost notification can delay a job."""
    reap_seconds: float = 60.0
    """How often jobs are looked for that nobody works on."""
    force_cancel: timedelta = timedelta(minutes=10)
    tags: Mapping[str, str] = field(default_factory=_organization_tags)
    replica_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Means:
    """What daemons work with."""

    db: Database
    pubsub: Pubsub
    registry: Registry
    terraform: Terraform
    clock: Clock = field(default_factory=SystemClock)


class Daemons:
    """The provisioner daemons of one replica."""

    def __init__(self, means: Means, options: DaemonOptions) -> None:
        self._means = means
        self._options = options
        self._source = DatabaseSource(
            Desk(means.db, means.pubsub, means.registry), means.terraform, options.tags
        )
        self._crew = Crew(
            Workshop(
                terraform=means.terraform,
                clock=means.clock,
                jobs_dir=options.cache_dir / "jobs",
                hostname=options.hostname,
                force_cancel=options.force_cancel,
            )
        )
        self._names: list[str] = []
        self._listed = 0
        self._stopping = asyncio.Event()

    @property
    def running(self) -> int:
        """Return how many jobs run here at the moment."""
        return self._crew.running

    async def run(self) -> None:
        """Take and run jobs until ``stop``; then rest until cancelled."""
        await self.register()
        await self.tidy()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_registered())
            group.create_task(self._keep_reaping())
            for name in self._names:
                group.create_task(self._serve(name))

    async def stop(self, grace: float) -> None:
        """Take no more jobs; give running ones ``grace`` seconds, then give them back."""
        self._stopping.set()
        await self._crew.stop(grace)
        async with self._means.db.tx(SYSTEM) as tx:
            await daemon_store.leave(tx, self._options.replica_id)

    async def register(self) -> None:
        """Say that our workers live; choose their names the first time."""
        async with self._means.db.tx(SYSTEM) as tx:
            taken = await daemon_store.taken(tx, self._options.replica_id)
            if not self._names:
                self._names = free_names(self._options.hostname, taken, self._options.count)
            self._listed = await daemon_store.register(tx, self._registration(), self._names)

    async def turn(self, name: str) -> bool:
        """Take one job and run it to its end; return False when there was none."""
        return await self._crew.turn(self._source, name)

    async def tidy(self) -> None:
        """Remove what runs of jobs that ended elsewhere left on this host."""

        async def live(ids: list[UUID]) -> Collection[UUID]:
            async with self._means.db.tx(SYSTEM) as tx:
                return await store.live(tx, ids)

        await self._crew.tidy(live)

    async def _serve(self, name: str) -> None:
        with self._means.pubsub.bell(JOBS) as bell:
            while not self._stopping.is_set():
                if not await self._try_turn(name):
                    await self._rest(bell)

    async def _try_turn(self, name: str) -> bool:
        """Take a turn; one job that breaks its worker must not end the others' work."""
        try:
            return await self.turn(name)
        except Exception:
            log.exception("a provisioner daemon stumbled", daemon=name)
            return False

    async def _rest(self, bell: Bell) -> None:
        async def awake() -> None:
            async with asyncio.TaskGroup() as group:
                ring = group.create_task(bell.wait())
                stop = group.create_task(self._stopping.wait())
                await asyncio.wait((ring, stop), return_when=asyncio.FIRST_COMPLETED)
                ring.cancel()
                stop.cancel()

        await within(self._means.clock, self._options.poll_seconds, awake())

    async def _keep_registered(self) -> None:
        while not self._stopping.is_set():
            # Before the first user there is no organization to be listed in.
            await self._means.clock.sleep(DAEMON_BEAT_SECONDS if self._listed else 1.0)
            if not self._stopping.is_set():
                await _undisturbed("register", self.register)

    async def _keep_reaping(self) -> None:
        while True:
            await self._means.clock.sleep(self._options.reap_seconds)
            await _undisturbed("reap", self._reap)

    async def _reap(self) -> None:
        async with self._means.db.tx(SYSTEM) as tx:
            await reap(tx, self._means.registry)

    def _registration(self) -> Registration:
        return Registration(self._options.replica_id, version(), API_VERSION, self._options.tags)


async def _undisturbed(chore: str, do: Callable[[], Awaitable[None]]) -> None:
    """Do a chore; its failure must not end the jobs that run beside it."""
    try:
        await do()
    except Exception:
        log.exception("a chore of the provisioner daemons failed", chore=chore)
