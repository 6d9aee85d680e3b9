"""Performs what `step` decides: calls the model, runs tools, waits and stores. No rules here."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar, assert_never
from uuid import uuid4

from coder_cli.kit.clock import Clock
from server.llm import (
    Draft,
    ErrorKind,
    Finished,
    ModelError,
    StreamEvent,
    ToolCall,
    ToolResult,
)
from server.loop.ledger import Ledger, LimitReached, Retrying, Row, Voice
from server.loop.outcome import Outcome
from server.loop.state import (
    Answered,
    Broke,
    CallModel,
    Commit,
    Compact,
    Effect,
    Event,
    Interrupted,
    Load,
    Loaded,
    Ran,
    Refused,
    RunTools,
    Say,
    Settle,
    Stop,
    Stored,
    Wait,
    Waited,
)
from server.loop.step import begin, step
from server.loop.switch import Interrupt, Switch
from server.loop.turn import Found, Turn
from server.loop.using import Desk

T = TypeVar("T")


async def run(
    turn: Turn, ledger: Ledger, voice: Voice, clock: Clock, switch: Switch | None = None
) -> Outcome:
    """Run a turn to its end, and return how it ended.

    Args:
        turn: the model, the tools, the layers.
        ledger: where steps are kept; asked for money before each call of a model.
        voice: who listens before anything is stored.
        clock: the time.
        switch: stops the turn from outside. Cancelling the task drops it instead.

    Raises:
        LeaseLost: somebody else runs the chat; what was not stored is gone.
    """
    runner = _Runner(ledger, voice, clock, switch or Switch(), turn.look)
    state, effects = begin(turn, uuid4())
    while True:
        event: Event | None = None
        for effect in effects:
            if isinstance(effect, Stop):
                return effect.outcome
            event = await runner.perform(effect)
        assert event is not None, "the last effect is answered by an event"
        state, effects = step(state, event)


@dataclass(frozen=True, slots=True)
class _Runner:
    ledger: Ledger
    voice: Voice
    clock: Clock
    switch: Switch
    look: Callable[[], Awaitable[Found]] | None

    async def perform(self, effect: Effect) -> Event | None:
        event: Event | None = None
        match effect:
            case Load():
                event = await self._load()
            case CallModel():
                event = await self._listen(effect, self._say)
            case Compact():
                event = await self._summarise(effect)
            case RunTools():
                event = await self._use(effect)
            case Wait():
                event = await self._wait(effect)
            case Commit():
                event = await self._store(effect)
            case Say():
                self._tell(effect.said)
            case Settle():
                await self.ledger.paid(effect.cost_micros)
            case Stop():
                pass
            case _:
                assert_never(effect)
        return event

    async def _load(self) -> Event:
        try:
            async with self.switch.armed():
                messages = await self.ledger.history()
        except Interrupt as stop:
            return Interrupted(stop.cause)
        return Loaded(messages, at=self.clock.monotonic())

    async def _listen(
        self, effect: CallModel | Compact, say: Callable[[StreamEvent], None]
    ) -> Event:
        draft = Draft()
        try:
            async with self.switch.armed():
                await self.ledger.admit(effect.at_most)
                async with aclosing(effect.engine.model.stream(effect.request)) as events:
                    async for event in events:
                        draft.add(event, self.clock.now())
                        say(event)
        except Interrupt as stop:
            return self._ended(draft) or self._cut_off(draft, stop.cause)
        except LimitReached as refusal:
            return Refused(str(refusal))
        except ModelError as error:
            return self._ended(draft) or self._broken(draft, error)
        except Exception:
            # A library that is cancelled fails in its own ways; otherwise it is a bug.
            if self.switch.cause is None:
                raise
            return self._ended(draft) or self._cut_off(draft, self.switch.cause)
        return self._ended(draft) or self._broken(draft, _truncated(effect))

    def _ended(self, draft: Draft) -> Event | None:
        """Return the answer, if it came to its end; what happened after that is no matter."""
        if draft.finished is None:
            return None
        parts = draft.parts(self.clock.now())
        return Answered(parts, draft.finished, at=self.clock.monotonic())

    def _broken(self, draft: Draft, error: ModelError) -> Event:
        # A stream that is stopped may say so in its own way, or just end.
        if self.switch.cause is not None:
            return self._cut_off(draft, self.switch.cause)
        return Broke(error, at=self.clock.monotonic())

    def _cut_off(self, draft: Draft, cause: str) -> Event:
        parts = draft.interrupted(self.clock.now())
        return Interrupted(cause, parts, at=self.clock.monotonic())

    async def _summarise(self, effect: Compact) -> Event:
        written: list[Event] = []
        failed: list[Exception] = []

        async def write() -> None:
            try:
                written.append(await self._listen(effect, _nobody))
            except Exception as error:  # noqa: BLE001 (raised below, outside of the group)
                failed.append(error)

        async with asyncio.TaskGroup() as group:
            summary = group.create_task(write())
            alarm = group.create_task(self.clock.sleep(effect.seconds))
            await asyncio.wait((summary, alarm), return_when=asyncio.FIRST_COMPLETED)
            summary.cancel()
            alarm.cancel()
        if failed:
            raise failed[0]
        if not written:
            late = ModelError(ErrorKind.TIMEOUT, "It was not written in time.")
            return Broke(late, at=self.clock.monotonic())
        return written[0]

    async def _use(self, effect: RunTools) -> Event:
        desk = Desk(effect, self.voice, self.clock)
        found: Found = ()
        try:
            async with self.switch.armed():
                await desk.run()
                if self.look is not None:
                    found = await self.look()
        except Interrupt as stop:
            at = self.clock.monotonic()
            return Interrupted(stop.cause, results=desk.results, at=at)
        return Ran(desk.results, desk.ends_turn, found, at=self.clock.monotonic())

    async def _wait(self, effect: Wait) -> Event:
        at = self.clock.now() + timedelta(seconds=effect.seconds)
        delay = round(effect.seconds * 1000)
        self.voice.retrying(Retrying(effect.attempt, delay, effect.error, at))
        try:
            async with self.switch.armed():
                await self.clock.sleep(effect.seconds)
        except Interrupt as stop:
            return Interrupted(stop.cause)
        return Waited()

    async def _store(self, effect: Commit) -> Event:
        if self.switch.cause is not None and not effect.interrupted:
            return Interrupted(self.switch.cause, at=self.clock.monotonic())
        rows = [self._timed(row) for row in effect.rows]
        commit = self.ledger.commit(rows, interrupted=effect.interrupted, last=effect.last)
        await _to_its_end(commit)
        return Stored(self.switch.cause, at=self.clock.monotonic())

    def _timed(self, row: Row) -> Row:
        """Return a row whose calls and results say when they came."""
        return replace(
            row,
            parts=tuple(
                replace(part, created_at=self.clock.now())
                if isinstance(part, ToolCall | ToolResult) and part.created_at is None
                else part
                for part in row.parts
            ),
        )

    def _say(self, event: StreamEvent) -> None:
        if not isinstance(event, Finished):
            self.voice.say(event)

    def _tell(self, said: ToolCall | ToolResult) -> None:
        told = replace(said, created_at=said.created_at or self.clock.now())
        if isinstance(told, ToolCall):
            self.voice.call(told)
        else:
            self.voice.result(told)


def _nobody(event: StreamEvent) -> None:
    """Hear a summary being written."""


def _truncated(effect: CallModel | Compact) -> ModelError:
    return ModelError(
        ErrorKind.TIMEOUT,
        "The model's answer ended before it was complete.",
        provider=effect.engine.model.provider,
    )


async def _to_its_end(work: Coroutine[object, object, T]) -> T:
    """Await ``work`` to its end even when cancelled meanwhile; the cancellation is raised then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            # Each further cancellation ends this wait only.
            with suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
        raise
