"""A provisioner daemon of another machine: one job at a time, from the server it serves."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from coder_cli.kit.build import version
from coder_cli.kit.clock import Clock, SystemClock
from server.kit.errors import Unavailable
from server.provisioning.errors import CallRefused, LeaseLost
from server.provisioning.model.line import Hello
from server.provisioning.worker.crew import Crew
from server.provisioning.worker.line import LineSource, ServerLine
from server.provisioning.worker.run import Workshop
from server.terraform import Terraform

log = structlog.get_logger()

PAUSE = 1.0
PATIENCE = 600.0
"""How long a running job may take to finish after the daemon was asked to stop."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a daemon works, and under which name."""

    cache_dir: Path
    """Work directories are in ``jobs`` below it; they outlive a crash, for the next run."""
    name: str
    clock: Clock = field(default_factory=SystemClock)


@dataclass(slots=True)
class Moments:
    """What whoever started a daemon asks of it."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Take no more jobs; finish the running one."""
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Give the running one back."""


class ExternalDaemon:
    """Takes jobs over a line until it is asked to stop."""

    def __init__(self, line: ServerLine, terraform: Terraform, place: Place) -> None:
        self._line = line
        self._source = LineSource(line, terraform)
        self._terraform = terraform
        self._place = place
        self._crew: Crew | None = None

    @property
    def running(self) -> int:
        """Return how many jobs run here at the moment."""
        return self._crew.running if self._crew else 0

    async def run(self, moments: Moments) -> None:
        """Work until ``moments.stop``, then end in order.

        Raises:
            ShownOut: the server does not want this daemon.
        """
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._line.run())
            working = group.create_task(self._work(moments))
            await moments.stop.wait()
            await self._end(moments)
            for task in (working, keeping):
                task.cancel()

    async def _work(self, moments: Moments) -> None:
        hello = await self._greet()
        crew = self._crew = Crew(self._workshop(hello))
        await self._tidy(crew)
        while not moments.stop.is_set():
            try:
                if await crew.turn(self._source, self._place.name):
                    # A lost job leaves its folder to whoever takes it over: that may be us.
                    await self._tidy(crew)
            except (Unavailable, CallRefused, LeaseLost) as error:
                log.debug("no job could be asked for", reason=str(error))
                await self._place.clock.sleep(PAUSE)
            except Exception:
                log.exception("the provisioner daemon stumbled")
                await self._place.clock.sleep(PAUSE)

    async def _greet(self) -> Hello:
        while True:
            await self._line.up.wait()
            try:
                hello = await self._source.hello()
            except (Unavailable, CallRefused):
                await self._place.clock.sleep(PAUSE)
                continue
            log.info("the provisioner daemon is ready", name=self._place.name)
            if hello.version != version():
                log.warning(
                    "the server is of another release", server=hello.version, daemon=version()
                )
            return hello

    def _workshop(self, hello: Hello) -> Workshop:
        return Workshop(
            terraform=self._terraform,
            clock=self._place.clock,
            jobs_dir=self._place.cache_dir / "jobs",
            hostname=self._place.name,
            force_cancel=hello.patience,
        )

    async def _tidy(self, crew: Crew) -> None:
        try:
            await crew.tidy(self._source.live)
        except (Unavailable, CallRefused) as error:
            log.warning("what earlier runs left is tidied up later", reason=str(error))

    async def _end(self, moments: Moments) -> None:
        log.info("no more jobs are taken", running=self.running)
        await self._source.enough()
        if self._crew is None:
            return
        async with asyncio.TaskGroup() as group:
            patient = group.create_task(self._crew.stop(PATIENCE))
            hurried = group.create_task(moments.hurry.wait())
            await asyncio.wait((patient, hurried), return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            if not patient.done():
                patient.cancel()
                group.create_task(self._crew.stop(0))
