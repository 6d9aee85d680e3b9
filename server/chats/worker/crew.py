"""Take chats that wait, run their turns side by side, and keep their leases.

Source: reference, chats, sections 1.7, 3.1 and 3.2; seeds 002 and 003.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

import structlog

from server import workspaces
from server.chats.actions import leasing
from server.chats.events import RUNNABLE
from server.chats.model import Chat
from server.chats.store import leases
from server.chats.store.leases import Room
from server.chats.worker.ledger import ME
from server.chats.worker.turning import Shop, Turning
from server.kit.errors import ApiError
from server.kit.pubsub import Bell, Pubsub

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
BEAT_SECONDS = 5.0
POLL_SECONDS = 1.0
PACE = 0.03
"""Seconds of the machine between two looks for chats, so that many at once cost one statement."""
COMMIT_WITHIN = 10.0
CHILDREN_FOR_ONE = 2
"""Sub-agents have room of their own: who waits for them must not take it from them."""


@dataclass(frozen=True, slots=True)
class CrewOptions:
    """How much one replica takes."""

    batch: int = 10
    turns: int = 100


class Crew:
    """The turns of this replica."""

    def __init__(
        self, shop: Shop, pubsub: Pubsub, worker_id: UUID, options: CrewOptions | None = None
    ) -> None:
        self.worker_id = worker_id
        self._shop = shop
        self._pubsub = pubsub
        self._options = options or CrewOptions()
        self._turns: dict[UUID, Turning] = {}
        self._taking: asyncio.Future[list[Chat]] | None = None
        self._beaten = 0.0

    @property
    def turns(self) -> int:
        """Return how many turns run now."""
        return len(self._turns)

    def runners(self) -> Collection[UUID]:
        """Return the leases whose turns run here."""
        return list(self._turns)

    async def run(self) -> None:
        """Run turns until cancelled; then leave those under way to other replicas."""
        try:
            with self._pubsub.bell(RUNNABLE) as bell:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._tick(bell), name="chats acquire")
                    group.create_task(self._beat(), name="chats heartbeat")
                    await self._take_for_ever(bell, group)
        finally:
            await asyncio.shield(self._hand_back())

    # Taking --------------------------------------------------------------------------------------

    async def _tick(self, bell: Bell) -> None:
        """Look every second: a notification may be lost, and a locked row was passed over."""
        while True:
            await self._shop.clock.sleep(POLL_SECONDS)
            bell.ring()

    async def _take_for_ever(self, bell: Bell, group: asyncio.TaskGroup) -> None:
        while True:
            room, began = self._room(), monotonic()
            try:
                taken = await self._take(room) if room.batch else []
            except (ApiError, TimeoutError) as error:
                # Whoever is slow to say which chats wait must not end the turns that run.
                log.warning("no chats could be taken", error=str(error))
                taken = []
            for chat in taken:
                group.create_task(self._turn(chat, bell), name=f"chat {chat.id}")
            if not room.batch or len(taken) < room.batch:
                await bell.wait()
                # A crowd is taken together; who comes alone finds nobody in the way.
                await asyncio.sleep(max(0.0, began + PACE - monotonic()))
                await bell.wait(0)

    def _room(self) -> Room:
        children = sum(not one.chat.is_root for one in self._turns.values())
        roots = max(0, self._options.turns - (len(self._turns) - children))
        children = max(0, self._options.turns * CHILDREN_FOR_ONE - children)
        return Room(roots, children, min(self._options.batch, roots + children))

    async def _take(self, room: Room) -> list[Chat]:
        # A commit that nobody waits for any more would leave chats with a runner that is none.
        self._taking = asyncio.ensure_future(self._acquire(room))
        return await asyncio.shield(self._taking)

    async def _acquire(self, room: Room) -> list[Chat]:
        async with asyncio.timeout(COMMIT_WITHIN):
            async with self._shop.books.database.tx(ME) as tx:
                chats = await leases.acquire(tx, self.worker_id, room, LEASE)
                await leasing.taken(tx, chats)
        for chat in chats:
            turning = Turning(self._shop, chat)
            self._turns[turning.runner_id] = turning
        return chats

    async def _turn(self, chat: Chat, bell: Bell) -> None:
        assert chat.runner_id is not None
        try:
            await self._turns[chat.runner_id].run()
        except Exception:
            # A turn tells of its own crashes; this one could not, and its lease runs out.
            log.exception("a turn broke", chat=str(chat.id))
        del self._turns[chat.runner_id]
        bell.ring()

    # Keeping -------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Renew all leases with one statement; whoever lost theirs stops."""
        clock = self._shop.clock
        self._beaten = clock.monotonic()
        while True:
            await clock.sleep(BEAT_SECONDS)
            turns = dict(self._turns)
            began = clock.monotonic()
            try:
                await self._renew(turns)
            except ApiError as error:
                log.warning("leases of chats were not renewed", error=error.message)
                if clock.monotonic() - self._beaten >= LEASE.total_seconds() - BEAT_SECONDS:
                    _lose(list(turns.values()), "the leases could not be renewed")
                continue
            self._beaten = began
            await self._use(turns)

    async def _renew(self, turns: dict[UUID, Turning]) -> None:
        if not turns:
            return
        # Where all connections have long queues a lease would run out that nobody has left.
        async with self._shop.books.database.urgent(ME) as tx:
            held = await leases.beat(tx, list(turns), LEASE)
        for one in held:
            turns[one.runner_id].look_again(one.version)
        kept = {one.runner_id for one in held}
        lost = [one for id_, one in turns.items() if id_ not in kept and not one.ending]
        _lose(lost, "somebody else has the chat")

    async def _use(self, turns: dict[UUID, Turning]) -> None:
        """Tell that the workspaces of turns are used; what is wrong with them costs no lease."""
        used = {one.workspace_id for one in turns.values() if one.workspace_id is not None}
        if not used:
            return
        try:
            async with self._shop.books.database.tx(ME) as tx:
                await workspaces.use_all(tx, sorted(used))
        except Exception:
            log.exception("workspaces of chats were not marked as used", count=len(used))

    async def _hand_back(self) -> None:
        """Leave to others what is not done; what is stored of it stays."""
        if self._taking is not None and not self._taking.done():
            await asyncio.wait({self._taking})
        runners = list(self._turns)
        self._turns.clear()
        if not runners:
            return
        try:
            async with self._shop.books.database.tx(ME) as tx:
                left = await leases.hand_back(tx, runners)
                await leasing.left(tx, left)
        except ApiError as error:
            log.warning("chats were not handed back; their leases run out", error=error.message)
        else:
            log.info("chats were handed back", count=len(left))


def _lose(turns: Sequence[Turning], why: str) -> None:
    for one in turns:
        log.warning("lease of a chat lost", chat=str(one.chat.id), reason=why)
        one.lose()
