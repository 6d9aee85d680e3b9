"""The hard cases of the running side, by their numbers in the reference (chats, section 10)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from typing_extensions import override

from server.chats.actions import leasing, stopping
from server.chats.actions.telling import tell
from server.chats.events import Change
from server.chats.model import Chat, MessagePage, Status
from server.chats.model.orders import Busy
from server.chats.store import chats as chat_store
from server.chats.store import leases
from server.chats.store import messages as message_store
from server.chats.store.leases import Room
from server.chats.worker.crew import Crew
from server.kit.db import Database
from server.llm import (
    Finish,
    Finished,
    PartDone,
    Request,
    Role,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolSpec,
    Usage,
)
from server.loop import Toolbox
from tests.server.chats.rows import SYSTEM, text
from tests.server.chats.test_context import AT_WORK
from tests.server.chats.worker.world import WITHIN, Heard, Script, World, opened, say
from tests.support.clock import FakeClock

ONE = Room(1, 0, 1)
LEASE = timedelta(seconds=15)


def holding(go_on: asyncio.Event, began: asyncio.Event) -> Script:
    """Return a script that says a word, and the rest when it may."""

    async def script(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "half ")
        began.set()
        await go_on.wait()
        yield TextDelta(0, "whole")
        part = Text("half whole")
        yield PartDone(0, part)
        yield Finished((part,), Usage(), Finish.STOP)

    return script


async def take(world: World) -> None:
    """Take a chat as a worker that dies at once."""
    async with world.database.tx(SYSTEM) as tx:
        taken = await leases.acquire(tx, uuid4(), ONE, LEASE)
        assert len(taken) == 1
        await leasing.taken(tx, taken)


async def test_edge_case_05_late_news_of_an_earlier_turn_stop_nothing(database: Database) -> None:
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat("first")
        await world.until(chat_id, Status.WAITING)
        before = await world.rows.read(chat_id)
        world.model.script = holding(go_on, began)
        await world.say(chat_id, "second", on=replica)
        await began.wait()
        feed = replica.feeds.find(chat_id)
        assert feed is not None
        for status in ("waiting", "error", "running"):
            # As it was told when the turn before ended, and when the chat only waited for a runner.
            feed.heard(
                {
                    "changes": ["status"],
                    "status": status,
                    "snapshot_version": before.snapshot_version,
                    "runner_id": None,
                }
            )
        # A newer wake-up without any change of the row is no reason either.
        feed.heard({"changes": ["status"], "status": "running", "snapshot_version": 10**6})
        go_on.set()
        await world.until(chat_id, Status.WAITING)
        assert (await world.texts(chat_id))[-1] == ("assistant", "half whole")


async def test_edge_case_08_an_interrupt_keeps_what_was_said_and_runs_what_waits(
    database: Database,
) -> None:
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        heard = Heard(replica, chat_id)
        world.model.script = holding(go_on, began)
        await world.say(chat_id, "first", on=replica)
        await began.wait()
        world.model.script = lambda request: say("o k")
        await world.say(chat_id, "now this", on=replica, busy=Busy.INTERRUPT)
        await heard.until(lambda events: len([e for e in events if e["type"] == "message"]) == 4)
        await world.until(chat_id, Status.WAITING)
        assert await world.texts(chat_id) == [
            ("user", "first"),
            ("assistant", "half "),
            ("user", "now this"),
            ("assistant", "ok"),
        ]
        await heard.stop()


async def test_edge_case_09_a_chat_of_a_dead_worker_runs_elsewhere(database: Database) -> None:
    clock = FakeClock()
    database.clock = clock
    async with opened(database, clock) as world:
        chat_id = await world.chat("hello")
        await take(world)
        assert await world.sweeper().sweep() == 0, "its lease still lives"
        await clock.advance(16)
        assert await world.sweeper().sweep() == 1
        await world.replica()
        await world.until(chat_id, Status.WAITING)
        assert (await world.texts(chat_id))[-1] == ("assistant", "ok")


async def test_edge_case_09_a_shutdown_loses_no_queue(database: Database) -> None:
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        world.model.script = holding(go_on, began)
        await world.say(chat_id, "first", on=replica)
        await began.wait()
        await world.say(chat_id, "second", on=replica)
        await replica.stop()
        chat = await world.rows.read(chat_id)
        assert (chat.status, chat.runner_id, chat.queued) == (Status.RUNNING, None, 1)
        assert await world.texts(chat_id) == [("user", "first")]
        world.model.script = lambda request: say("o k")
        await world.replica()
        await world.until(chat_id, Status.WAITING)
        told = [text for _, text in await world.texts(chat_id)]
        assert told == ["first", "ok", "second", "ok"]


async def test_edge_case_10_a_panic_becomes_an_error_that_says_so(database: Database) -> None:
    async def broken(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "so far")
        raise ZeroDivisionError("a bug of ours")

    async with opened(database) as world:
        world.model.script = broken
        replica = await world.replica()
        chat_id = await world.chat()
        heard = Heard(replica, chat_id)
        await world.say(chat_id, "hello", on=replica)
        chat = await world.until(chat_id, Status.ERROR)
        assert chat.last_error is not None
        assert chat.last_error["message"] == "chat processing panicked: a bug of ours"
        await heard.until(lambda events: any(e["type"] == "error" for e in events))
        assert heard.statuses[-1] == "error"
        await heard.stop()


async def test_edge_case_16_three_hundred_messages_come_through_the_database(
    database: Database,
) -> None:
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        first = Heard(replica, chat_id)
        await first.until(lambda events: len(events) >= 1)
        for _ in range(3):
            async with database.tx(SYSTEM) as tx:
                await message_store.append(tx, chat_id, [text(Role.USER, "x")] * 100)
                chat = await chat_store.lock(tx, chat_id)
                assert chat is not None
                rows, _ = await message_store.page(tx, chat_id, MessagePage(100))
                rows.reverse()
                await tell(tx, chat, Change.MESSAGES, ids=[row.id for row in rows], rows=rows)
        await first.until(lambda events: count(events) == 300)
        late = Heard(replica, chat_id)
        some = Heard(replica, chat_id, first.ids[9])
        await late.until(lambda events: count(events) == 300)
        await some.until(lambda events: count(events) == 290)
        await world.say(chat_id, "hello", on=replica)
        for heard, wanted in ((first, 302), (late, 302), (some, 292)):
            await heard.until(lambda events, wanted=wanted: count(events) == wanted)
            assert heard.ids == sorted(set(heard.ids))
            await heard.stop()


def count(events: Sequence[dict[str, Any]]) -> int:
    """Return how many messages were heard."""
    return sum(event["type"] == "message" for event in events)


async def test_edge_case_17_an_edit_causes_one_forced_reread(database: Database) -> None:
    """Second half: whoever listens reads all again, once for everybody of the replica."""
    from server.chats.actions import editing
    from server.chats.model.orders import InputPart, MessageOrder

    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        listeners = [Heard(replica, chat_id) for _ in range(3)]
        await world.say(chat_id, "first", on=replica)
        for heard in listeners:
            await heard.until(
                lambda events: len([e for e in events if e["type"] == "message"]) == 2
            )
            await heard.until(lambda events: events[-1].get("status") == {"status": "waiting"})
        before = listeners[0].feed.rereads
        actor = world.rows.actor(world.rows.owner)
        order = MessageOrder((InputPart("text", "otherwise"),))
        async with database.tx(actor) as tx:
            await editing.edit(tx, chat_id, listeners[0].ids[0], order)
        for heard in listeners:
            await heard.until(lambda events: any(e["type"] == "history_reset" for e in events))
            await heard.until(
                lambda events: len([e for e in events if e["type"] == "message"]) == 4
            )
            await heard.until(lambda events: events[-1].get("status") == {"status": "waiting"})
            reset = [e["type"] for e in heard.events].index("history_reset")
            told = [e["message"]["id"] for e in heard.events[reset:] if e["type"] == "message"]
            assert told == sorted(set(told))
            assert len(told) == 2
        assert listeners[0].feed.rereads == before + 1
        assert [text for _, text in await world.texts(chat_id)] == ["otherwise", "ok"]
        for heard in listeners:
            await heard.stop()


async def test_edge_case_18_a_locked_chat_is_taken_by_the_next_look(database: Database) -> None:
    """The poll is an hour away; the lock's end wakes the worker."""
    clock = FakeClock()
    async with opened(database, clock) as world:
        chat_id = await world.chat("hello")
        async with database.tx(SYSTEM) as tx:
            await tx.run("SELECT 1 FROM chats WHERE id = %(id)s FOR UPDATE", {"id": chat_id})
            replica = await world.replica()
            await asyncio.sleep(0.3)
            assert replica.crew.turns == 0
            from server.chats.events import Runnable

            await tx.announce(Runnable(chat_id=chat_id))
        await world.until(chat_id, Status.WAITING)


async def test_edge_case_22_a_parked_chat_survives_a_restart_and_its_deadline_ends_it(
    database: Database,
) -> None:
    clock = FakeClock()
    database.clock = clock
    call = ToolCall("call_1", "ask_client", '{"x": 1}')

    async def calling(request: Request) -> AsyncGenerator[StreamEvent]:
        yield PartDone(0, call)
        yield Finished((call,), Usage(), Finish.TOOL_CALLS)

    async with opened(database, clock) as world:
        world.model.script = calling
        replica = await world.replica()
        replica.kitchen.toolbox = Toolbox(dynamic=(ToolSpec("ask_client", "", {}),))
        chat_id = await world.chat(dynamic_tools=[{"name": "ask_client"}])
        heard = Heard(replica, chat_id)
        await world.say(chat_id, "hello", on=replica)
        await heard.until(lambda events: any(e["type"] == "action_required" for e in events))
        asked = heard.of("action_required")[-1]["action_required"]["tool_calls"]
        assert asked == [{"tool_call_id": "call_1", "tool_name": "ask_client", "args": '{"x": 1}'}]
        await heard.stop()
        await replica.stop()
        again = await world.replica()
        late = Heard(again, chat_id)
        await late.until(lambda events: any(e["type"] == "action_required" for e in events))
        assert await world.sweeper().sweep() == 0
        await clock.advance(301)
        assert await world.sweeper().sweep() == 1
        await late.until(lambda events: any(e["type"] == "error" for e in events))
        chat = await world.rows.read(chat_id)
        assert chat.last_error is not None
        assert chat.last_error["message"] == "Dynamic tool execution timed out"
        await late.stop()


async def test_a_lost_lease_stops_its_turn_alone_and_stores_nothing(database: Database) -> None:
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        world.model.script = holding(go_on, began)
        await world.say(chat_id, "first", on=replica)
        await began.wait()
        chat = await world.rows.read(chat_id)
        assert chat.runner_id is not None
        world.model.script = lambda request: say("o k")
        async with database.tx(SYSTEM) as tx:
            left = await leases.hand_back(tx, [chat.runner_id])
            await leasing.left(tx, left)
        await world.until(chat_id, Status.WAITING)
        assert await world.texts(chat_id) == [("user", "first"), ("assistant", "ok")]


async def test_an_interrupt_of_a_chat_without_a_worker_ends_at_once(database: Database) -> None:
    async with opened(database) as world:
        chat_id = await world.chat("hello")
        async with database.tx(SYSTEM) as tx:
            await stopping.interrupt(tx, chat_id)
        assert (await world.rows.read(chat_id)).status is Status.WAITING


async def test_heartbeats_renew_all_leases_at_once(database: Database) -> None:
    clock = FakeClock()
    database.clock = clock
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database, clock) as world:
        replica = await world.replica()
        ids = [await world.chat() for _ in range(3)]
        world.model.script = holding(go_on, began)
        for chat_id in ids:
            await world.say(chat_id, "hello", on=replica)
        await eventually(lambda: _asked(world, 3))
        for _ in range(5):
            await clock.wake_within(5)
            await eventually(lambda: _renewed(world, clock))
        assert await world.sweeper().sweep() == 0
        go_on.set()
        for chat_id in ids:
            await world.until(chat_id, Status.WAITING)


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while True:
            if await check():
                return
            await asyncio.sleep(0.02)


async def _asked(world: World, times: int) -> bool:
    return len(world.model.requests) >= times


async def _renewed(world: World, clock: FakeClock) -> bool:
    async with world.database.tx(SYSTEM) as tx:
        oldest = await tx.value("SELECT min(expires_at) FROM chat_heartbeats")
    return oldest is not None and oldest >= clock.now() + LEASE - timedelta(seconds=1)


class Slow(Crew):
    """A crew to which the database does not say in time, once, which chats wait."""

    late = True
    second: asyncio.Event

    @override
    async def _acquire(self, room: Room) -> list[Chat]:
        if self.late and self.turns:
            self.late = False
            raise TimeoutError
        taken = await super()._acquire(room)
        if taken and not self.late:
            self.second.set()
        return taken


async def test_a_slow_look_for_chats_ends_no_turn(database: Database) -> None:
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database) as world:
        replica = await world.replica(works=False)
        slow = Slow(replica.crew._shop, replica.pubsub, uuid4())  # pyright: ignore[reportPrivateUsage]
        slow.second = asyncio.Event()
        replica.tasks.append(asyncio.ensure_future(slow.run()))
        chat_id = await world.chat("hello")
        world.model.script = holding(go_on, began)
        await began.wait()
        second = await world.chat("hello")
        async with asyncio.timeout(WITHIN):
            await slow.second.wait()
        go_on.set()
        await world.until(second, Status.WAITING)
        await world.until(chat_id, Status.WAITING)
        assert (await world.texts(chat_id))[-1] == ("assistant", "half whole")
        assert len(world.model.requests) == 2


async def test_what_is_wrong_with_workspaces_costs_no_lease(database: Database) -> None:
    clock = FakeClock()
    database.clock = clock
    go_on, began = asyncio.Event(), asyncio.Event()
    async with opened(database, clock) as world:
        workspace, rows = uuid4(), world.rows
        values = {"w": workspace, "o": rows.organization, "by": rows.owner}
        async with database.tx(SYSTEM) as tx:
            for statement in AT_WORK[:2]:
                await tx.run(statement, values)
        replica = await world.replica()
        chat_id = await world.chat(workspace_id=workspace)
        world.model.script = holding(go_on, began)
        await world.say(chat_id, "hello", on=replica)
        await began.wait()
        async with database.tx(SYSTEM) as tx:
            await tx.run("ALTER TABLE workspaces RENAME TO elsewhere")
        for _ in range(4):
            await clock.wake_within(5)
        go_on.set()
        await world.until(chat_id, Status.WAITING)
        assert (await world.texts(chat_id))[-1] == ("assistant", "half whole")
