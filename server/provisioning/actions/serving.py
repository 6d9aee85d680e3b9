"""A provisioner daemon elsewhere, served over its line: it gets values, never the database."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import structlog

from coder_cli.kit.build import version
from coder_cli.sdk.agentapi import from_json, to_json
from server.kit.errors import ApiError, Unavailable
from server.provisioning.actions.arriving import Hall
from server.provisioning.actions.leases import SYSTEM, Rows, load
from server.provisioning.actions.orders import BuildOrder, DryRunOrder, ImportOrder, OrphanOrder
from server.provisioning.actions.wire import Frames, Said, Wire, first_end
from server.provisioning.convert import line as wire
from server.provisioning.errors import (
    CallRefused,
    DaemonNameTaken,
    JobFailed,
    LeaseLost,
    LineEnded,
)
from server.provisioning.events import JOBS, key_topic
from server.provisioning.model import (
    API_VERSION,
    DAEMON_BEAT_SECONDS,
    FAR_LEASE,
    RESERVED,
    Acquired,
    Asked,
    Closing,
    Guest,
    Job,
    JobType,
    Result,
    check_outcome,
)
from server.provisioning.model.line import Call, Held, Live
from server.provisioning.store import daemons as daemon_store
from server.provisioning.store import jobs as store
from server.terraform import Built

log = structlog.get_logger()

LONG_POLL = 20.0
MOST_ASKED_FOR = 1000
SHOWN_OUT = 4401

StillWelcome = Callable[[], Awaitable[Guest]]
"""Lets the daemon in once more. Raises ``ApiError`` when it would not be."""


class Service:
    """One line of one daemon."""

    def __init__(self, hall: Hall, guest: Guest, frames: Frames, still: StillWelcome) -> None:
        self._hall = hall
        self._desk = hall.desk
        self._guest = guest
        self._still = still
        self._wire = Wire(frames, self._answer)
        self._calls: Mapping[str, Callable[[Said], Awaitable[Said]]] = {
            Call.HELLO: self._hello,
            Call.ACQUIRE: self._acquire,
            Call.ENOUGH: self._rest,
            Call.RENEW: self._renew,
            Call.SAY: self._say,
            Call.CLOSE: self._close,
            Call.LIVE: self._live,
        }
        self._enough = asyncio.Event()
        self._held: dict[UUID, Rows] = {}
        self._undelivered: Rows | None = None
        self._listeners: dict[UUID, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> LineEnded:
        """Serve until the line ends or the daemon is shown out; return why."""
        ended = LineEnded("the server is stopping", 1012)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self._keep_listed())
                group.create_task(self._wire.run())
        except* LineEnded as ends:
            ended = first_end(ends)
        finally:
            await self._leave()
        return ended

    async def arrive(self) -> None:
        """List the daemon.

        Raises:
            DaemonNameTaken: a daemon of the server itself has its name.
        """
        async with self._desk.db.tx(SYSTEM) as tx:
            listed = await daemon_store.arrive(tx, self._guest, self._hall.replica_id, API_VERSION)
        if listed is None:
            raise DaemonNameTaken(self._guest.name)

    async def _leave(self) -> None:
        try:
            if self._undelivered is not None:
                # Nobody began it: it goes to the next one at once.
                await self._undelivered.close(
                    Closing(Result(None, JobFailed("The line broke.")), Asked.RELEASE)
                )
            async with self._desk.db.tx(SYSTEM) as tx:
                await daemon_store.depart(tx, self._guest.line_id)
        except (Unavailable, LeaseLost):
            log.info("the end of a provisioner line was not recorded", daemon=self._guest.name)

    async def _keep_listed(self) -> None:
        """Say that the daemon lives, and show it out when it may not be here any more."""
        guest = self._guest
        topics = () if guest.key_id in RESERVED else (key_topic(guest.key_id),)
        with self._desk.pubsub.bell(*topics) as bell:
            while True:
                await bell.wait(DAEMON_BEAT_SECONDS)
                try:
                    await self._still()
                    await self.arrive()
                except Unavailable:
                    continue  # No answer is no reason: the next look is seconds away.
                except ApiError as refusal:
                    raise LineEnded(refusal.message, SHOWN_OUT) from None

    async def _answer(self, name: str, said: Said) -> Said:
        if name not in self._calls:
            raise CallRefused(f"unknown call {name[:50]!r}")
        return await self._calls[name](said)

    async def _hello(self, _: Said) -> Said:
        seconds = self._hall.force_cancel.total_seconds()
        return Said({"version": version(), "force_cancel": seconds})

    async def _rest(self, _: Said) -> Said:
        self._enough.set()
        return Said({})

    async def _acquire(self, _: Said) -> Said:
        """Lease a job and hand it over; wait a while for one."""
        self._enough.clear()
        clock = self._desk.db.clock
        until = clock.monotonic() + LONG_POLL
        with self._desk.pubsub.bell(JOBS) as bell:
            while not self._enough.is_set():
                rows = await self._lease()
                if rows is not None:
                    handed = await self._hand_over(rows)
                    if handed is not None:
                        return handed
                    continue
                left = until - clock.monotonic()
                if left <= 0:
                    break
                await _either(bell.wait(min(left, 5.0)), self._enough.wait())
        return Said({})

    async def _lease(self) -> Rows | None:
        try:
            await self._still()
        except Unavailable:
            raise
        except ApiError as refusal:
            raise LineEnded(refusal.message, SHOWN_OUT) from None
        async with self._desk.db.tx(SYSTEM) as tx:
            job = await store.acquire(
                tx,
                self._guest.name,
                self._desk.registry.types,
                dict(self._guest.tags),
                self._guest.organization_id,
                FAR_LEASE,
            )
        return None if job is None else Rows(self._desk, job, length=FAR_LEASE)

    async def _hand_over(self, rows: Rows) -> Said | None:
        """Return the job as a value, or None when it could not even be loaded."""
        self._undelivered = rows
        try:
            order = await load(self._desk, rows.job)
        except JobFailed as failure:
            await rows.close(Closing(Result(None, failure), Asked.NOTHING))
            self._undelivered = None
            return None
        work = _work(order)
        # What a job was asked with stays here; all that it needs is in the order.
        job = replace(rows.job, input={}, type=JobType(rows.job.type))
        document = wire.Assignment(job=job, work=work)
        return Said({"job": True}, wire.to_body(document))

    async def _renew(self, said: Said) -> Said:
        held = from_json(Held, said.value)
        rows = await self._rows(held)
        if self._undelivered is not None and self._undelivered.job.id == held.job_id:
            self._undelivered = None
        cancelled = await rows.renew()
        if cancelled is None:
            self._forget(held.job_id)
        elif held.job_id not in self._listeners and self._group is not None:
            task = self._group.create_task(self._tell_cancelled(rows))
            self._listeners[held.job_id] = task
        return Said({"cancelled": cancelled})

    async def _tell_cancelled(self, rows: Rows) -> None:
        await rows.cancelled()
        await self._wire.tell(Call.CANCELLED, {"job_id": str(rows.job.id)})

    async def _say(self, said: Said) -> Said:
        rows = await self._rows(from_json(Held, said.value))
        fitted = await rows.say(wire.lines_of(wire.from_body(wire.Lines, said.body)))
        return Said({"cut_lines": fitted.cut_lines, "cut_bytes": fitted.cut_bytes})

    async def _close(self, said: Said) -> Said:
        farewell = wire.from_body(wire.Farewell, said.body)
        rows = await self._rows(Held(farewell.job_id, farewell.token))
        outcome = _believable_outcome(rows.job, farewell)
        asked = await self._believable(rows.job, farewell)
        failure = JobFailed(farewell.message, farewell.code, outcome) if farewell.failed else None
        if failure is None and outcome is None:
            raise CallRefused("a job that succeeded has a result")
        lines = tuple(wire.lines_of(wire.Lines(lines=farewell.lines)))
        try:
            await rows.close(
                Closing(
                    Result(outcome, failure, ask_kind=farewell.ask_kind),
                    asked,
                    lines,
                    farewell.cut_lines,
                    farewell.cut_bytes,
                )
            )
        except JobFailed as refusal:
            raise CallRefused(refusal.message) from None
        self._forget(farewell.job_id)
        return Said({})

    async def _believable(self, job: Acquired, farewell: wire.Farewell) -> Asked:
        """Return what was asked of the job, as far as our own rows know of it."""
        asked = Asked(farewell.asked)
        if asked in (Asked.CANCEL, Asked.FORCE):
            async with self._desk.db.tx(SYSTEM) as tx:
                now = await store.get(tx, job.id)
            if now is None or now.canceled_at is None:
                return Asked.NOTHING
        if asked is Asked.EXHAUSTED and not job.exhausted:
            return Asked.NOTHING
        return asked

    async def _live(self, said: Said) -> Said:
        asked = from_json(Live, said.value)
        if len(asked.ids) > MOST_ASKED_FOR:
            raise CallRefused("too many ids")
        async with self._desk.db.tx(SYSTEM) as tx:
            return Said({"ids": to_json(await store.live(tx, list(asked.ids)))})

    async def _rows(self, held: Held) -> Rows:
        """Return the rows of a job that the daemon holds; a lease outlives its line.

        Raises:
            LeaseLost: it does not hold it.
        """
        known = self._held.get(held.job_id)
        if known is not None and known.job.lease_token == held.token:
            return known
        async with self._desk.db.tx(SYSTEM) as tx:
            job = await store.get(tx, held.job_id)
        if (
            job is None
            or job.lease_token != held.token
            or job.organization_id != self._guest.organization_id
        ):
            raise LeaseLost
        # One job at a time: what was held before is over.
        for job_id in tuple(self._held):
            self._forget(job_id)
        rows = Rows(self._desk, Acquired(**_columns(job), resumed=False), length=FAR_LEASE)
        self._held[held.job_id] = rows
        return rows

    def _forget(self, job_id: UUID) -> None:
        self._held.pop(job_id, None)
        if listener := self._listeners.pop(job_id, None):
            listener.cancel()


def _believable_outcome(job: Acquired, farewell: wire.Farewell) -> Any:
    """Return what was made; of a failed build whose result is no good, at least the state."""
    outcome = farewell.outcome.value
    if not farewell.ask_kind:
        return None
    try:
        check_outcome(JobType(job.type), outcome)
    except CallRefused:
        if not farewell.failed:
            raise
        return Built(state=outcome.state) if isinstance(outcome, Built) else None
    return outcome


def _columns(job: Job) -> dict[str, Any]:
    return {each.name: getattr(job, each.name) for each in fields(Job)}


async def _either(*ways: Coroutine[Any, Any, object]) -> None:
    """Return when the first of these does."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _work(order: object) -> Any:
    match order:
        case ImportOrder():
            return wire.ImportWork(request=order.request)
        case DryRunOrder():
            return wire.DryRunWork(request=order.request)
        case BuildOrder():
            return wire.BuildWork(request=order.request)
        case OrphanOrder():
            return wire.OrphanWork()
        case _:
            raise TypeError(f"{type(order).__name__} cannot travel")
