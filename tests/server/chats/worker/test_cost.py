"""What a turn costs in queries, and what the heartbeat does besides."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from typing_extensions import override

from server.chats.model import Status
from server.chats.store import leases
from server.chats.store.leases import Room
from server.chats.worker.crew import LEASE, CrewOptions
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.world import Heard, opened
from tests.support.clock import FakeClock


@dataclass
class Count:
    """Statements, by who asked for them."""

    by: dict[str, int] = field(default_factory=dict[str, int])


class Counting(Database):
    """A database that counts the statements of its units of work."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.count = Count()

    @override
    @asynccontextmanager
    async def tx(self, actor: Actor) -> AsyncGenerator[Tx]:
        async with super().tx(actor) as tx:
            yield replace(tx, conn=_Conn(tx.conn, self.count, actor.label))

    @override
    @asynccontextmanager
    async def look(self, actor: Actor) -> AsyncGenerator[Tx]:
        async with super().look(actor) as tx:
            yield Tx(_Conn(tx.conn, self.count, actor.label), tx.actor, tx.now)  # pyright: ignore[reportArgumentType]


class _Conn:
    def __init__(self, conn: Any, count: Count, label: str) -> None:
        self._conn, self._count, self._label = conn, count, label

    def _one(self) -> None:
        self._count.by[self._label] = self._count.by.get(self._label, 0) + 1

    def cursor(self, *args: Any, **rest: Any) -> Any:
        self._one()
        return self._conn.cursor(*args, **rest)

    async def execute(self, *args: Any, **rest: Any) -> Any:
        self._one()
        return await self._conn.execute(*args, **rest)

    def transaction(self) -> Any:
        return self._conn.transaction()


async def test_a_turn_costs_few_queries_however_many_listen(dsn: str) -> None:
    """The budget is twelve: take, tell, prepare (four), history, store, end, tell."""
    database = Counting(dsn)
    await database.open()
    costs: list[int] = []
    # A clock that stands still: nothing polls, beats or looks again meanwhile.
    async with opened(database, FakeClock()) as world:
        replica = await world.replica()
        for listeners in (0, 8):
            chat_id = await world.chat()
            heard = [Heard(replica, chat_id) for _ in range(listeners)]
            for one in heard:
                await one.until(lambda events: len(events) >= 1)
            await world.say(chat_id, "warm up", on=replica)
            await world.until(chat_id, Status.WAITING)
            for one in heard:
                await one.until(lambda events: events[-1].get("status") == {"status": "waiting"})
            database.count.by.clear()
            await world.say(chat_id, "again", on=replica)
            for one in heard:
                await one.until(lambda events: _answers(events) == 2)
            await world.until(chat_id, Status.WAITING)
            costs.append(database.count.by["system:chats worker"])
            assert "system:chats" not in database.count.by, "listeners read nothing"
            for one in heard:
                await one.stop()
    await database.close()
    # Preparing is not in this kitchen: it is four more.
    assert max(costs) <= 12 - 4, costs


def _answers(events: Any) -> int:
    return sum(
        event["type"] == "message" and event["message"]["role"] == "assistant" for event in events
    )


async def test_seed_acquire_batch_size(database: Database) -> None:
    async with opened(database) as world:
        for number in range(5):
            await world.chat(f"chat {number}")
        async with database.tx(SYSTEM) as tx:
            taken = await leases.acquire(tx, uuid4(), Room(100, 100, 3), LEASE)
            rest = await leases.acquire(tx, uuid4(), Room(100, 100, 3), LEASE)
        assert (len(taken), len(rest)) == (3, 2)
        assert [chat.updated_at for chat in taken] == sorted(chat.updated_at for chat in taken)


async def test_sub_agents_have_room_when_their_parents_take_all(database: Database) -> None:
    async with opened(database) as world:
        parent = await world.chat("parent")
        child = await world.chat("child", parent_chat_id=parent, root_chat_id=parent)
        async with database.tx(SYSTEM) as tx:
            taken = await leases.acquire(tx, uuid4(), Room(0, 2, 2), LEASE)
        assert [chat.id for chat in taken] == [child]


async def test_one_turn_at_a_time_runs_all_chats_in_the_end(database: Database) -> None:
    async with opened(database) as world:
        ids: list[UUID] = [await world.chat(f"chat {number}") for number in range(4)]
        await world.replica(options=CrewOptions(batch=10, turns=1))
        for id_ in ids:
            await world.until(id_, Status.WAITING)
        assert len(world.model.requests) == 4
