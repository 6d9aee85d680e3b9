"""A server and a provisioner daemon with a line between them that tests can cut."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from server.kit.pubsub import Pubsub
from server.provisioning import BuildOrder, Desk, Hall, JobType, Registry
from server.provisioning.actions.kinds import Console, Order
from server.provisioning.actions.serving import Service
from server.provisioning.errors import LineEnded
from server.provisioning.model import Guest, Job
from server.provisioning.worker.external import ExternalDaemon, Moments, Place
from server.provisioning.worker.line import LineLease, LineSource, ServerLine, Unreachable
from server.terraform import BuildRequest, FakeTerraform, Owner, TemplateFacts, Transition
from server.terraform import WorkspaceFacts as Workspace
from tests.server.provisioning.conftest import House, Queue, Scripted

TAGS = {"scope": "organization", "owner": ""}


@dataclass(eq=False)
class Pipe:
    """One end of a WebSocket without a network."""

    inbox: "asyncio.Queue[str | bytes | None]" = field(
        default_factory=asyncio.Queue[str | bytes | None]
    )
    other: "Pipe | None" = None
    over: bool = False
    sent: list[int] = field(default_factory=list[int])

    async def send(self, frame: str | bytes) -> None:
        if self.over or self.other is None:
            raise LineEnded("the pipe is cut")
        self.sent.append(len(frame))
        self.other.inbox.put_nowait(frame)

    async def receive(self) -> str | bytes:
        frame = await self.inbox.get()
        if frame is None:
            raise LineEnded("the pipe is cut")
        return frame

    async def close(self) -> None:
        self.cut()

    def cut(self) -> None:
        for end in (self, self.other):
            if end is not None and not end.over:
                end.over = True
                end.inbox.put_nowait(None)


def pipes() -> tuple[Pipe, Pipe]:
    """Return both ends."""
    near, far = Pipe(), Pipe()
    near.other, far.other = far, near
    return near, far


@dataclass
class BuildingKind(Scripted):
    """A kind whose order can travel."""

    archive: bytes = b"tar"
    state: bytes | None = None
    owner: Owner = field(default_factory=Owner)
    variables: dict[str, str] = field(default_factory=dict[str, str])

    async def load(self, tx: object, job: Job) -> Order:  # type: ignore[override]
        return BuildOrder(
            BuildRequest(
                work_dir=Path(),
                archive=self.archive,
                transition=Transition.START,
                build_id=uuid4(),
                workspace=Workspace(name="dev"),
                owner=self.owner,
                template=TemplateFacts(),
                access_url="http://coder.test",
                state=self.state,
                variables=self.variables,
            )
        )


@dataclass
class Far:
    """The server's side, and what a daemon needs to reach it."""

    house: House
    kind: BuildingKind
    pubsub: Pubsub
    terraform: FakeTerraform = field(default_factory=FakeTerraform)
    guest_tags: dict[str, str] = field(default_factory=lambda: dict(TAGS))
    open: bool = True
    lines: list[Pipe] = field(default_factory=list[Pipe])
    services: list["asyncio.Task[LineEnded]"] = field(
        default_factory=list["asyncio.Task[LineEnded]"]
    )
    still: Callable[[], Awaitable[Guest]] | None = None

    @property
    def queue(self) -> Queue:
        return self.house.queue

    def guest(self) -> Guest:
        key = uuid4()
        return Guest(self.queue.organization_id, "far", "v", self.guest_tags, key)

    def hall(self) -> Hall:
        db = self.queue.db
        registry = Registry({JobType.WORKSPACE_BUILD: self.kind})
        desk = Desk(db, self.pubsub, registry)
        return Hall(desk, uuid4(), "", timedelta(minutes=10))

    async def dial(self) -> Pipe:
        """Open a line to a new replica of the server."""
        if not self.open:
            raise Unreachable("no server")
        near, far = pipes()
        guest = self.guest()

        async def welcome() -> Guest:
            return guest

        service = Service(self.hall(), guest, near, self.still or welcome)
        await service.arrive()
        self.lines.append(far)
        self.services.append(asyncio.ensure_future(_served(service, near)))
        return far

    def cut(self) -> None:
        """Break the newest line."""
        self.lines[-1].cut()

    @asynccontextmanager
    async def line(self) -> AsyncGenerator[ServerLine]:
        """Yield a line that is up."""
        line = ServerLine(self.dial, self.house.clock, luck=lambda: 0.5)
        keeping = asyncio.ensure_future(line.run())
        await line.up.wait()
        try:
            yield line
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            for pipe in self.lines:
                pipe.cut()
            await asyncio.gather(*self.services, return_exceptions=True)

    async def lease(self, line: ServerLine) -> LineLease:
        """Return a job, leased over the line."""
        lease = await LineSource(line, self.terraform).acquire("far")
        assert lease is not None
        return lease

    @asynccontextmanager
    async def daemon(self) -> AsyncGenerator[ExternalDaemon]:
        """Yield a running daemon."""
        line = ServerLine(self.dial, self.house.clock, luck=lambda: 0.5)
        place = Place(self.house.cache / "far", "far", self.house.clock)
        daemon = ExternalDaemon(line, self.terraform, place)
        moments = Moments()
        running = asyncio.ensure_future(daemon.run(moments))
        try:
            yield daemon
        finally:
            running.cancel()
            for pipe in self.lines:
                pipe.cut()
            with suppress(asyncio.CancelledError):
                await running
            await asyncio.gather(*self.services, return_exceptions=True)


async def _served(service: Service, near: Pipe) -> LineEnded:
    ended = await service.run()
    near.cut()
    return ended


class StillConsole:
    """A console that only has a place."""

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = work_dir
        self.cancelled = asyncio.Event()
        self.recovered: bytes | None = None

    def log(self, level: str, stage: str, output: str, *, source: str = "provisioner") -> None:
        """Forget it."""

    def conceal(self, secrets: Iterable[str]) -> None:
        """Say nothing anyway."""


def console(house: House) -> Console:
    return StillConsole(house.cache)
