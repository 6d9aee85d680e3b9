"""A user's chats as events: of this replica's commits without a read, of others' with one."""

import asyncio
import json
from contextlib import suppress
from typing import Any
from uuid import uuid4

from server.chats.actions import leasing
from server.chats.actions.streaming.feeds import Feeds
from server.chats.actions.telling import tell
from server.chats.actions.watching import MOST_KEPT, Outlook, Watches, kinds
from server.chats.events import Change
from server.chats.store import chats as chat_store
from server.chats.store import leases
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.test_cost import Counting
from tests.server.chats.worker.test_edges import LEASE, ONE
from tests.server.chats.worker.world import opened


async def heard(watches: Watches, outlook: Outlook, bell: Any, count: int) -> list[dict[str, Any]]:
    """Return the first events, once there are so many."""
    async with asyncio.timeout(20):
        while len(outlook.events) < count:
            await watches.news(outlook)
            if len(outlook.events) < count:
                await bell.wait(1)
    return [json.loads(event) for event in outlook.events]


async def test_who_watches_hears_of_here_without_a_read_and_of_elsewhere_with_one(
    dsn: str,
) -> None:
    here, there = Counting(dsn), Database(dsn)
    await here.open()
    await there.open()
    async with opened(here) as world:
        replica = await world.replica(works=False)
        watches = Watches(here, replica.pubsub)
        chat_id = await world.chat("hello")
        with watches.open(world.rows.owner) as (outlook, bell):
            async with here.tx(SYSTEM) as tx:
                chat = await chat_store.lock(tx, chat_id)
                assert chat is not None
                await tell(tx, chat, Change.STATUS)
            here.count.by.clear()
            (first,) = await heard(watches, outlook, bell, 1)
            assert (first["kind"], first["chat"]["status"]) == ("status_change", "pending")
            assert not here.count.by
            async with there.tx(SYSTEM) as tx:
                other = await chat_store.lock(tx, chat_id)
                assert other is not None
                await tell(tx, other, Change.TITLE)
            _, second = await heard(watches, outlook, bell, 2)
            assert (second["kind"], second["chat"]["title"]) == ("title_change", "A chat")
    await here.close()
    await there.close()


async def test_a_rolled_back_change_is_told_to_nobody(database: Database) -> None:
    async with opened(database) as world:
        pubsub = Pubsub(database.dsn)
        watches, feeds = Watches(database, pubsub), Feeds(database, pubsub)
        chat_id = await world.chat("hello")
        with watches.open(world.rows.owner) as (outlook, _), feeds.open(chat_id) as feed:
            with suppress(ZeroDivisionError):
                async with database.tx(SYSTEM) as tx:
                    chat = await chat_store.lock(tx, chat_id)
                    assert chat is not None
                    await tell(tx, chat, Change.STATUS)
                    raise ZeroDivisionError
            assert not outlook.heard
            assert feed.known is None
            assert not feed.written


async def test_a_chat_taken_by_a_worker_is_told_as_running(database: Database) -> None:
    async with opened(database) as world:
        watches = Watches(database, Pubsub(database.dsn))
        await world.chat("hello")
        with watches.open(world.rows.owner) as (outlook, bell):
            async with database.tx(SYSTEM) as tx:
                await leasing.taken(tx, await leases.acquire(tx, uuid4(), ONE, LEASE))
            (told,) = await heard(watches, outlook, bell, 1)
            assert told["chat"]["status"] == "running"


def test_a_chat_that_is_made_or_put_away_has_no_other_news() -> None:
    assert kinds([Change.CREATED, Change.MESSAGES, Change.STATUS]) == ["created"]
    assert kinds([Change.ARCHIVED, Change.STATUS]) == ["deleted"]
    assert kinds([Change.MESSAGES, Change.QUEUE]) == []
    assert kinds([Change.STATUS, Change.ACTION]) == ["status_change", "action_required"]


def test_who_is_too_slow_is_known_by_the_number_of_the_oldest_event() -> None:
    outlook = Outlook(uuid4())
    for number in range(MOST_KEPT + 3):
        outlook.add(str(number))
    assert (outlook.first, outlook.next) == (3, MOST_KEPT + 3)
    assert outlook.events[0] == "3"
