"""Jobs from a server at the far end of a line, which comes up again after every loss."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog

from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import BadShape, from_json, to_json
from server.kit.errors import Unavailable
from server.provisioning.actions.kinds import Console, Order
from server.provisioning.actions.orders import BuildOrder, DryRunOrder, ImportOrder, OrphanOrder
from server.provisioning.actions.wire import Frames, Said, Wire
from server.provisioning.convert import line as wire
from server.provisioning.errors import CallRefused, JobFailed, LineEnded, Refusal
from server.provisioning.model import FAR_GIVE_UP, Acquired, Closing, Fitted, Line
from server.provisioning.model.line import Call, Cut, Held, Hello, Live, Renewed
from server.provisioning.worker.waiting import within
from server.terraform import Built, Imported, Terraform

log = structlog.get_logger()

ANSWER_WITHIN = 120.0
"""A result of many megabytes may take a while; a dead line is found sooner, by its pings."""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""A lease lives 15 s: the first tries come quickly."""


class ShownOut(Exception):
    """The server does not want this daemon; trying again does not help."""


class Unreachable(Exception):
    """The server does not answer, or not as one of ours; it may do so later."""


class OpenFrames(Frames, Protocol):
    """A WebSocket that we opened."""

    async def close(self) -> None:
        """Say good-bye."""
        ...


Dial = Callable[[], Awaitable[OpenFrames]]
"""Opens the WebSocket. Raises ``ShownOut`` and ``Unreachable``."""


class ServerLine:
    """The line to the server: calls go over whichever WebSocket is open."""

    def __init__(self, dial: Dial, clock: Clock, luck: Callable[[], float] = random.random) -> None:
        self.up = asyncio.Event()
        self._dial = dial
        self._clock = clock
        self._luck = luck
        self._wire: Wire | None = None
        self._cancelled: dict[UUID, asyncio.Event] = {}
        self._trouble = ""

    async def run(self) -> None:
        """Keep the line up.

        Raises:
            ShownOut: the server does not want us.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                frames = await self._dial()
            except Unreachable as error:
                self._complain(str(error))
            else:
                pause = FIRST_PAUSE
                self._complain(await self._use(frames))
            await self._clock.sleep(pause * (0.5 + self._luck()))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def call(self, name: Call, params: object, body: bytes = b"") -> Said:
        """Call the server.

        Raises:
            Unavailable: there is no line, or it broke, or the server has no database just now.
            LeaseLost, CallRefused: the server says so.
        """
        if self._wire is None:
            raise Unavailable("There is no line to the server.")
        asked = asyncio.ensure_future(self._wire.call(name, to_json(params), body))
        try:
            if await within(self._clock, ANSWER_WITHIN, _ended(asked)):
                return asked.result()
        except LineEnded as end:
            raise Unavailable(f"The line to the server broke: {end}.") from None
        finally:
            asked.cancel()
        raise Unavailable(f"The server did not answer within {ANSWER_WITHIN:.0f} s.")

    async def tell(self, name: Call) -> None:
        """Tell the server something; no matter if there is no line."""
        if self._wire is not None:
            try:
                await self._wire.tell(name, {})
            except LineEnded:
                return

    def cancelled(self, job_id: UUID) -> asyncio.Event:
        """Return the event that is set when the server says that a job is to end."""
        return self._cancelled.setdefault(job_id, asyncio.Event())

    def forget(self, job_id: UUID) -> None:
        """Listen no more for a job's cancellation."""
        self._cancelled.pop(job_id, None)

    async def _use(self, frames: OpenFrames) -> str:
        self._wire = Wire(frames, self._heard)
        self.up.set()
        if self._trouble:
            log.info("the line to the server is up again")
            self._trouble = ""
        try:
            await self._wire.run()
        except LineEnded as end:
            return f"the line to the server is down: {end}"
        finally:
            self.up.clear()
            self._wire = None
            await frames.close()
        raise AssertionError("a line ends with LineEnded")

    async def _heard(self, name: str, said: Said) -> Said:
        if name == Call.CANCELLED:
            job_id = from_json(_Job, said.value).job_id
            if job_id in self._cancelled:
                self._cancelled[job_id].set()
        return Said({})

    def _complain(self, trouble: str) -> None:
        # The same trouble all night long is one line, not thousands.
        if trouble != self._trouble:
            log.warning(trouble)
        self._trouble = trouble


@dataclass(frozen=True, slots=True)
class _Job:
    job_id: UUID


async def _ended(task: "asyncio.Future[Said]") -> None:
    await asyncio.wait({task})


@dataclass(frozen=True, slots=True)
class LineSource:
    """The server's queue, from elsewhere."""

    line: ServerLine
    terraform: Terraform

    async def hello(self) -> Hello:
        """Return what the server tells a daemon first."""
        return from_json(Hello, (await self.line.call(Call.HELLO, {})).value)

    async def acquire(self, worker: str) -> "LineLease | None":  # noqa: ARG002 - the line says who
        """Wait a while for a job, and return it once it is surely ours."""
        said = await self.line.call(Call.ACQUIRE, {})
        if not said.body:
            return None
        document = wire.from_body(wire.Assignment, said.body)
        lease = LineLease(self.line, document.job, _order(document), self.terraform)
        # Before this is answered the server may have taken the job back: nothing runs twice.
        return None if await lease.renew() is None else lease

    async def live(self, ids: list[UUID]) -> Collection[UUID]:
        """Return which of these jobs have not ended."""
        said = await self.line.call(Call.LIVE, Live(tuple(ids)))
        return from_json(Live, said.value).ids

    async def enough(self) -> None:
        """Tell the server that we want no more jobs."""
        await self.line.tell(Call.ENOUGH)


@dataclass(frozen=True, slots=True)
class LineLease:
    """A job that the server leased to us; what the methods promise is said by ``Lease``."""

    line: ServerLine
    job: Acquired
    order: Order = field(repr=False)
    terraform: Terraform

    @property
    def patience(self) -> timedelta:
        """Return how long to go on without a heartbeat."""
        return FAR_GIVE_UP

    async def work(self, console: Console) -> object:
        """Carry the order out with our own terraform."""
        return await self.order.carry_out(self.terraform, console)

    async def renew(self) -> bool | None:
        """Keep the job for a while."""
        said = await self.line.call(Call.RENEW, self._held)
        return from_json(Renewed, said.value).cancelled

    async def cancelled(self) -> None:
        """Return once the server says that the job is to end."""
        try:
            await self.line.cancelled(self.job.id).wait()
        finally:
            self.line.forget(self.job.id)

    async def say(self, lines: Sequence[Line]) -> Fitted:
        """Have lines of the log stored."""
        body = wire.to_body(wire.Lines(lines=list(lines)))
        said = await self.line.call(Call.SAY, self._held, body)
        cut = from_json(Cut, said.value)
        return Fitted((), 0, cut.cut_lines > 0, cut.cut_lines, cut.cut_bytes)

    async def close(self, closing: Closing) -> None:
        """Tell the server how the run ended."""
        try:
            await self.line.call(Call.CLOSE, {}, wire.to_body(self._farewell(closing)))
        except CallRefused as refusal:
            if refusal.code != Refusal.REFUSED:
                raise
            raise JobFailed(str(refusal)) from None

    @property
    def _held(self) -> Held:
        token = self.job.lease_token
        if token is None:
            raise BadShape("a job without a lease")
        return Held(self.job.id, token)

    def _farewell(self, closing: Closing) -> wire.Farewell:
        result, failure = closing.result, closing.result.failure
        return wire.Farewell(
            job_id=self._held.job_id,
            token=self._held.token,
            failed=failure is not None,
            message=failure.message[: wire.LONGEST_MESSAGE] if failure else "",
            code=failure.code if failure else "",
            asked=int(closing.asked),
            ask_kind=result.ask_kind,
            cut_lines=closing.cut_lines,
            cut_bytes=closing.cut_bytes,
            lines=list(closing.lines),
            outcome=_outcome(result.outcome) if result.ask_kind else wire.Outcome(),
        )


def _outcome(made: object) -> wire.Outcome:
    match made:
        case Imported():
            return wire.Outcome(imported=made)
        case Built():
            return wire.Outcome(built=made)
        case _:
            return wire.Outcome()


def _order(document: wire.Assignment) -> Order:
    match document.work:
        case wire.ImportWork(request=request):
            return ImportOrder(request)
        case wire.DryRunWork(request=request):
            return DryRunOrder(request)
        case wire.BuildWork(request=request):
            return BuildOrder(request)
        case wire.OrphanWork():
            return OrphanOrder()
