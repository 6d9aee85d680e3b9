"""Leases under load: what is late only is not lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from server.chats.model import Status
from server.chats.worker.sweeper import Sweeper
from server.kit.db import Database
from server.llm import Finish, Finished, PartDone, Request, StreamEvent, Text, Usage
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.world import opened
from tests.support.clock import FakeClock


async def test_a_late_heartbeat_costs_no_turn_of_the_same_replica(database: Database) -> None:
    clock, go_on, began = FakeClock(), asyncio.Event(), asyncio.Event()
    database.clock = clock

    async def script(_: Request) -> AsyncGenerator[StreamEvent]:
        began.set()
        await go_on.wait()
        yield PartDone(0, Text("ok"))
        yield Finished((Text("ok"),), Usage(), Finish.STOP)

    async with opened(database, clock) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        world.model.script = script
        await world.say(chat_id, "hello", on=replica)
        await began.wait()
        async with database.tx(SYSTEM) as tx:
            await tx.run("UPDATE chat_heartbeats SET expires_at = %(now)s", {"now": tx.now})
        own = Sweeper(database, clock, replica.crew.runners)
        assert await own.sweep() == 0, "this replica knows that it runs"
        go_on.set()
        await world.until(chat_id, Status.WAITING)
        assert (await world.texts(chat_id))[-1] == ("assistant", "ok")


async def test_a_heartbeat_waits_behind_nobody(dsn: str) -> None:
    database = Database(dsn, max_open=2)
    await database.open()
    async with AsyncExitStack() as crowd:
        for _ in range(2):
            await crowd.enter_async_context(database.tx(SYSTEM))
        async with asyncio.timeout(30), database.urgent(SYSTEM) as tx:
            assert await tx.value("SELECT 1") == 1
    await database.close()
