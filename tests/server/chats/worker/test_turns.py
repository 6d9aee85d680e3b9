"""Turns from lease to end: what is taken once, what is told, and what it costs in queries."""

import asyncio

from server.chats.model import Status
from server.kit.db import Database
from tests.server.chats.worker.world import Heard, opened


async def test_a_message_is_answered_and_listeners_hear_every_word(database: Database) -> None:
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        heard = Heard(replica, chat_id)
        await heard.until(lambda events: len(events) >= 1)
        await world.say(chat_id, "hello", on=replica)
        await heard.until(lambda events: [e["type"] for e in events].count("message") == 2)
        await heard.until(lambda events: events[-1].get("status") == {"status": "waiting"})
        await heard.stop()
        parts = [event["message_part"]["part"]["text"] for event in heard.of("message_part")]
        assert parts == ["o", "k"]
        assert await world.texts(chat_id) == [("user", "hello"), ("assistant", "ok")]
        chat = await world.rows.read(chat_id)
        assert (chat.status, chat.runner_id) == (Status.WAITING, None)
        assert heard.statuses[-2:] == ["running", "waiting"]


async def test_seed_follow_up_turns_cost_the_persisting_replica_no_reread(
    database: Database,
) -> None:
    """Edge case 17, first half: turns x listeners cause no reread where they are stored."""
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        listeners = [Heard(replica, chat_id) for _ in range(5)]
        for heard in listeners:
            await heard.until(lambda events: len(events) >= 1)
        before = listeners[0].feed.rereads
        for turn in range(1, 5):
            await world.say(chat_id, f"turn {turn}", on=replica)
            for heard in listeners:
                wanted = 2 * turn
                await heard.until(
                    lambda events, wanted=wanted: (
                        len([e for e in events if e["type"] == "message"]) == wanted
                    )
                )
                await heard.until(lambda events: events[-1].get("status") == {"status": "waiting"})
        assert listeners[0].feed.rereads == before
        for heard in listeners:
            assert heard.ids == sorted(set(heard.ids))
            await heard.stop()


async def test_edge_case_18_two_workers_run_each_chat_once(database: Database) -> None:
    async with opened(database) as world:
        for _ in range(2):
            await world.replica()
        ids = [await world.chat(f"chat {number}") for number in range(60)]
        await asyncio.gather(*(world.until(id_, Status.WAITING) for id_ in ids))
        for id_ in ids:
            assert [role for role, _ in await world.texts(id_)] == ["user", "assistant"]
        assert len(world.model.requests) == 60
