"""Streams to one agent's API that stay open between requests, for as long as somebody works there.

A stream costs a look at the database and a dial-back of the agent; a turn of a chat asks often.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from coder_cli.kit.clock import Clock, SystemClock
from coder_cli.sdk.agentapi import Port
from server.agents.actions.exchanging import Answered, Asked, exchange
from server.agents.actions.streams import Dialer
from server.network import Closed, Stream

MOST_IDLE: Final = 4
"""Streams that wait for another request; parallel requests have one each."""
FRESH: Final = 20.0
"""Seconds for which an idle stream is trusted: the agent hangs up after thirty."""


@dataclass(slots=True)
class _Held:
    """An open stream, and how to let go of it."""

    stream: Stream
    exits: AsyncExitStack
    used_at: float = 0.0


@dataclass(slots=True)
class Kept:
    """The way to one agent; close it when the work is done."""

    dialer: Dialer
    clock: Clock = field(default_factory=SystemClock)
    dials: int = 0
    """How many streams were opened."""
    _idle: list[_Held] = field(default_factory=list[_Held])
    _closed: bool = False

    async def dial(self, agent_id: UUID) -> None:
        """Open the first stream, if there is none: what fails then has asked the agent nothing.

        Raises:
            NotFound: there is no such agent, or it is not connected.
            Unreachable: it did not answer.
        """
        if not self._idle:
            await self._keep(await self._open(agent_id))

    async def fetch(self, agent_id: UUID, asked: Asked) -> Answered:
        """Ask over a stream that is open, or over a new one.

        Raises:
            Closed: the stream ended before the answer did.
            BadAnswer: what came is no answer of an agent's.
        """
        held = await self._fresh()
        if held is not None:
            try:
                return await self._exchange(held, asked)
            except Closed:
                # It may have died while nobody used it; whether the agent heard us is unknown.
                if not asked.repeatable:
                    raise
        return await self._exchange(await self._open(agent_id), asked)

    async def close(self) -> None:
        """Let go of all streams; those in use go with their answers."""
        self._closed = True
        while self._idle:
            await self._idle.pop().exits.aclose()

    async def _exchange(self, held: _Held, asked: Asked) -> Answered:
        try:
            answered = await exchange(held.stream, asked, keep=True)
        except BaseException:
            await held.exits.aclose()
            raise
        if answered.open:
            await self._keep(held)
        else:
            await held.exits.aclose()
        return answered

    async def _open(self, agent_id: UUID) -> _Held:
        exits = AsyncExitStack()
        stream = await exits.enter_async_context(self.dialer.open(agent_id, Port.HTTP_API))
        self.dials += 1
        return _Held(stream, exits)

    async def _fresh(self) -> _Held | None:
        while self._idle:
            held = self._idle.pop()
            if self.clock.monotonic() - held.used_at < FRESH:
                return held
            await held.exits.aclose()
        return None

    async def _keep(self, held: _Held) -> None:
        if self._closed or len(self._idle) >= MOST_IDLE:
            await held.exits.aclose()
            return
        held.used_at = self.clock.monotonic()
        self._idle.append(held)
