"""Calls of models and the money that is left: never more than one too many, never a dead end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chats.actions import spending as actions
from server.chats.actions import turns
from server.chats.actions.admitting import Till
from server.chats.model import Chat
from server.chats.store import leases
from server.chats.store.leases import Room
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.llm import Role
from server.loop import LimitReached
from tests.server.chats.rows import SYSTEM, Rows, text
from tests.support.clock import FakeClock, settle

CENT = 10_000
ADMIN = Actor(UUID(int=1), "admin", frozenset({"owner"}))
LEASE = timedelta(seconds=15)


class House:
    """One owner's chats, with two replicas that look after the same money."""

    def __init__(self, rows: Rows, pubsub: Pubsub, clock: FakeClock) -> None:
        self.rows = rows
        self.clock = clock
        self.tills = [Till(rows.database, pubsub, clock) for _ in range(2)]

    async def running(self, count: int, **rest: Any) -> list[Chat]:
        """Return chats with a living lease each."""
        wanted = {await self.rows.chat(**rest) for _ in range(count)}
        async with self.rows.database.tx(SYSTEM) as tx:
            taken = await leases.acquire(tx, uuid4(), Room(1000, 1000, 1000), LEASE)
        return [chat for chat in taken if chat.id in wanted]

    async def limit(self, micros: int | None, deployment: int | None = None) -> None:
        async with self.rows.database.tx(ADMIN) as tx:
            await actions.set_limits(tx, micros, deployment, "month", keep_deployment=False)

    async def store(self, chat: Chat, cost: int | None) -> None:
        """Store a step that cost so much."""
        assert chat.runner_id
        batch = turns.batch([text(Role.ASSISTANT, "word", cost_micros=cost)])
        async with self.rows.database.tx(SYSTEM) as tx:
            await turns.commit_step(tx, chat.id, chat.runner_id, batch)

    async def total(self) -> int:
        async with self.rows.database.tx(SYSTEM) as tx:
            return await tx.value("SELECT coalesce(sum(cost_micros), 0)::bigint FROM chat_spend")

    async def reservations(self) -> int:
        async with self.rows.database.tx(SYSTEM) as tx:
            return await tx.value("SELECT count(*) FROM chat_spend_reservations")


@pytest.fixture
async def house(dsn: str, clock: FakeClock) -> AsyncGenerator[House]:
    database, pubsub = Database(dsn, clock=clock, max_open=12), Pubsub(dsn)
    await database.open()
    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(pubsub.run())
        await pubsub.listening.wait()
        yield House(await Rows.begin(database), pubsub, clock)
        hearing.cancel()
    await database.close()


async def test_fifty_parallel_sub_agents_overshoot_by_one_call_at_most(house: House) -> None:
    limit, most, cost = 100 * CENT, 3 * CENT, 2 * CENT
    await house.limit(limit)
    chats = await house.running(50)
    assert len(chats) == 50
    calls = 0

    async def turn(number: int, chat: Chat) -> None:
        nonlocal calls
        till = house.tills[number % 2]
        with suppress(LimitReached):
            while True:
                await till.admit(chat, most)
                calls += 1
                await asyncio.sleep(0)
                await house.store(chat, cost)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for number, chat in enumerate(chats):
            tasks.create_task(turn(number, chat))
    # All of the money is used, and not even one call too many was made: each cost less than most.
    assert limit <= await house.total() < limit + most
    assert calls * cost == await house.total()
    assert await house.reservations() == 0


async def test_a_limit_of_all_together_holds_for_parallel_calls(house: House) -> None:
    limit, cost = 20 * CENT, 2 * CENT
    await house.limit(None, deployment=limit)

    async def turn(number: int, chat: Chat) -> None:
        with suppress(LimitReached):
            while True:
                await house.tills[number % 2].admit(chat, cost)
                await house.store(chat, cost)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for number, chat in enumerate(await house.running(20)):
            tasks.create_task(turn(number, chat))
    assert await house.total() == limit


async def test_who_is_held_up_by_others_only_waits_for_what_they_come_to(house: House) -> None:
    await house.limit(10 * CENT)
    one, two = await house.running(2)
    till = house.tills[0]
    await till.admit(one, 10 * CENT)
    waiting = asyncio.ensure_future(house.tills[1].admit(two, 10 * CENT))
    await settle()
    assert not waiting.done()
    await house.store(one, 2 * CENT)
    async with asyncio.timeout(5):
        await waiting
    # And is refused, when they come to everything.
    waiting = asyncio.ensure_future(till.admit(one, 10 * CENT))
    await house.store(two, 8 * CENT)
    with pytest.raises(LimitReached, match=r"\$0\.10 of the \$0\.10 that you may spend"):
        async with asyncio.timeout(5):
            await waiting


async def test_a_call_that_is_made_again_does_not_wait_behind_those_that_wait_for_it(
    house: House,
) -> None:
    await house.limit(10 * CENT)
    one, two = await house.running(2)
    till = house.tills[0]
    await till.admit(one, 10 * CENT)
    waiting = asyncio.ensure_future(till.admit(two, CENT))
    await settle()
    async with asyncio.timeout(5):
        await till.admit(one, 10 * CENT)
    await house.store(one, CENT)
    async with asyncio.timeout(5):
        await waiting


async def test_sub_agents_do_not_wait_for_the_tools_of_their_parent(house: House) -> None:
    """A parent's step is stored after its tools, and one of these waits for the sub-agent."""
    await house.limit(10 * CENT)
    parent, child = await house.running(2)
    till = house.tills[0]
    await till.admit(parent, 10 * CENT)
    waiting = asyncio.ensure_future(house.tills[1].admit(child, CENT))
    await settle()
    assert not waiting.done()
    await till.paid(parent, 3 * CENT)
    async with asyncio.timeout(5):
        await waiting
    await house.store(child, 7 * CENT)
    # What the parent paid counts before its step is stored.
    with pytest.raises(LimitReached):
        await till.admit(child, CENT)
    await house.store(parent, 3 * CENT)
    assert await house.total() == 10 * CENT


async def test_what_a_dead_runner_set_aside_counts_no_more(house: House) -> None:
    await house.limit(10 * CENT)
    one, two = await house.running(2)
    await house.tills[0].admit(one, 10 * CENT)
    async with house.rows.database.tx(SYSTEM) as tx:
        await tx.run("DELETE FROM chat_heartbeats WHERE chat_id = %(id)s", {"id": one.id})
    async with asyncio.timeout(5):
        await house.tills[1].admit(two, CENT)
    assert await house.reservations() == 1


async def test_calls_without_a_price_are_made_while_there_is_money(house: House) -> None:
    await house.limit(CENT)
    one, two = await house.running(2)
    for chat in (one, two):
        await house.tills[0].admit(chat, None)
    await house.store(one, CENT)
    with pytest.raises(LimitReached):
        await house.tills[0].admit(two, None)


async def test_nobody_waits_for_ever(house: House) -> None:
    await house.limit(10 * CENT)
    one, two = await house.running(2)
    await house.tills[0].admit(one, 10 * CENT)
    waiting = asyncio.ensure_future(house.tills[1].admit(two, CENT))
    await settle()
    async with house.rows.database.tx(SYSTEM) as tx:
        # The lease outlives the patience.
        await tx.run("UPDATE chat_heartbeats SET expires_at = expires_at + interval '1 hour'")
    await house.clock.advance(901)
    with pytest.raises(LimitReached, match="Other calls under way may spend what is left"):
        async with asyncio.timeout(10):
            await waiting


async def test_without_any_limit_a_call_asks_for_nothing(house: House) -> None:
    (chat,) = await house.running(1)
    till = house.tills[0]
    await till.admit(chat, CENT)
    before = house.rows.database.stats()["requests_num"]
    for _ in range(5):
        await till.admit(chat, CENT)
        await till.paid(chat, CENT)
    assert house.rows.database.stats()["requests_num"] == before
    # A limit that comes is seen within seconds.
    await house.limit(CENT)
    await house.store(chat, CENT)
    await house.clock.advance(5)
    with pytest.raises(LimitReached):
        await till.admit(chat, CENT)


async def test_limits_that_cannot_be_found_out_hold_nobody_up(house: House) -> None:
    await house.limit(CENT)
    (chat,) = await house.running(1)
    await house.store(chat, CENT)
    async with house.rows.database.tx(SYSTEM) as tx:
        await tx.run("ALTER TABLE chat_usage_limit_config RENAME TO broken")
    await house.tills[0].admit(chat, CENT)


async def test_a_database_that_does_not_answer_holds_nobody_up(house: House) -> None:
    await house.limit(CENT)
    (chat,) = await house.running(1)
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing")
    till = Till(gone, Pubsub(""), house.clock)
    await till.admit(chat, CENT)


async def test_deleted_rows_go_on_counting(house: House) -> None:
    await house.limit(CENT)
    (chat,) = await house.running(1)
    await house.store(chat, CENT)
    async with house.rows.database.tx(SYSTEM) as tx:
        await tx.run("UPDATE chat_messages SET deleted = true")
    with pytest.raises(LimitReached):
        await house.tills[0].admit(chat, CENT)
