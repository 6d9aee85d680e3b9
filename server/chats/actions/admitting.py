"""Money before each call of a model: a call begins only while some is left, whoever else calls.

Each call sets aside what it may cost at most. One that is held up by others' calls only waits for
what these come to: so a limit is overshot by one call at most, with any number of sub-agents.
"""

import asyncio
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from coder_cli.kit.clock import Clock
from server.chats.events import SPENDING, CallSettled, owner_topic, spending_topic
from server.chats.model import Chat
from server.chats.model.spending import Over, Verdict
from server.chats.store import spending
from server.chats.store.spending import Reservation
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.errors import Unavailable
from server.kit.pubsub import Pubsub
from server.loop import LimitReached

log = structlog.get_logger()

ME = as_system("chat money")
FREE_FOR = 5.0
"""Seconds for which a deployment without any limit is not asked again."""
LOOK_AGAIN = 1.0
"""Seconds after which a call that waits asks again, also without having heard anything."""
MOST_HELD = 10_000
WAIT_AT_MOST = 900.0
"""Seconds; a call that others hold up for longer is refused."""


class Till:
    """Lets calls of models go ahead, or not; one for each replica."""

    def __init__(self, database: Database, pubsub: Pubsub, clock: Clock) -> None:
        """Use ``clock`` for what has to wait."""
        self._database = database
        self._pubsub = pubsub
        self._clock = clock
        self._free_until = float("-inf")
        self._holding: set[UUID] = set()
        self._lines: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def admit(self, chat: Chat, at_most_micros: int | None) -> None:
        """Set aside what the next call of the chat's runner may cost; None is unpriced.

        Costs no query while nobody in the deployment is limited. Where limits cannot be found out,
        the call goes ahead.

        Raises:
            LimitReached: the money is spent; the text has the amounts.
        """
        if chat.runner_id is None or self._clock.monotonic() < self._free_until:
            return
        wanted = Reservation(chat.owner_id, chat.id, chat.runner_id, at_most_micros or 0)
        until = self._clock.monotonic() + WAIT_AT_MOST
        if chat.runner_id in self._holding:
            # A call that failed is made again: others may wait for what it still holds.
            await self._wait(wanted, until)
            return
        # Where the first in line is held up all others are: one of them asks for all.
        line = self._lines.setdefault(chat.owner_id, asyncio.Lock())
        async with line:
            await self._wait(wanted, until)

    async def paid(self, chat: Chat, cost_micros: int | None) -> None:
        """Tell what the call that was admitted has cost: others wait for no more than that."""
        if chat.runner_id is None or chat.runner_id not in self._holding:
            return
        async with self._database.tx(ME) as tx:
            await spending.settle(tx, chat.runner_id, cost_micros or 0)
            await tx.announce(CallSettled(owner_id=chat.owner_id))
        self._holding.discard(chat.runner_id)

    async def _wait(self, wanted: Reservation, until: float) -> None:
        topics = (spending_topic(wanted.owner_id), owner_topic(wanted.owner_id), SPENDING)
        # Opened before the first look, so that nothing is missed between looking and waiting.
        with self._pubsub.bell(*topics) as bell:
            while (held := await self._look_if_possible(wanted)) is not None:
                if self._clock.monotonic() >= until:
                    raise LimitReached(
                        "Other calls under way may spend what is left of the limit. "
                        f"{held.sentence}"
                    )
                await bell.wait(LOOK_AGAIN)

    async def _look_if_possible(self, wanted: Reservation) -> Over | None:
        try:
            return await self._look(wanted)
        except Unavailable as error:
            # A busy database is no reason to fail a turn; storing its step will tell more.
            log.warning("limits of spending cannot be read; a call goes ahead", error=error.message)
            return None

    async def _look(self, wanted: Reservation) -> Over | None:
        """Set the money aside and return None, or return what is in the way for now.

        Raises:
            LimitReached: nothing that is under way can change it.
        """
        async with self._database.tx(ME) as tx:
            limits = await spending.standing_if_known(tx, wanted.owner_id)
            if limits is None:
                return None
            if not limits.limited:
                if not limits.limits_exist:
                    self._free_until = self._clock.monotonic() + FREE_FOR
                return None
            if limits.over is not None:
                raise LimitReached(limits.over.sentence)
            verdict = await spending.reserve(tx, wanted, limits)
        if verdict is None or verdict.admitted:
            if len(self._holding) >= MOST_HELD:
                # Runners that ended otherwise; what they set aside counts no more.
                self._holding.clear()
            self._holding.add(wanted.runner_id)
            return None
        return _held_up(verdict)


def _held_up(verdict: Verdict) -> Over | None:
    if (spent := verdict.spent_for_good) is not None:
        raise LimitReached(spent.sentence)
    return verdict.over_with(
        verdict.settled_micros + verdict.open_micros,
        verdict.deployment_settled_micros + verdict.deployment_open_micros,
    )
