"""Say something: at once, behind others, or in the place of what runs."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from server.chats.model import State
from server.chats.model.rules import ChatRules
from server.kit.routing import provide
from server.llm import ErrorKind, ModelError
from server.loop import Done, Failed, LeaseLost, Parked, Stopped
from tests.server.chats.world import World, called, said, words

OVERLOADED = Failed(ModelError(ErrorKind.OVERLOADED, "Too busy.", provider="scripted"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"content": words("x"), "busy_behavior": "shout"}, "Invalid busy_behavior value."),
        ({"content": []}, "Content is required."),
        ({"content": [{"type": "text"}]}, "Invalid input part."),
        ({"content": words("x"), "model_config_id": str(uuid4())}, "Invalid model config ID."),
        ({"content": words("x"), "reasoning_effort": "huge"}, "Invalid reasoning effort."),
        (
            {"content": words("x"), "mcp_server_ids": [str(uuid4())]},
            "One or more MCP server IDs are invalid.",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused(
    world: World, body: dict[str, Any], message: str
) -> None:
    chat = await world.idle()
    refused = await world.post(f"/chats/{chat}/messages", body, status=400)
    assert refused.json()["message"] == message
    assert (await world.read(chat)).state is State.W


async def test_an_archived_chat_takes_nothing(world: World) -> None:
    chat = await world.idle()
    await world.post(f"/chats/{chat}/archive", status=204)
    refused = await world.post(f"/chats/{chat}/messages", {"content": words("x")}, status=400)
    assert refused.json()["message"] == "Chat is archived."


async def test_an_idle_chat_runs_at_once_with_the_asked_model(world: World) -> None:
    chat = await world.idle()
    sent = await world.send(
        chat, "and now?", model_config_id=str(world.other_model), plan_mode="plan"
    )
    assert sent["queued"] is False
    assert sent["message"]["content"] == words("and now?")
    assert [message["id"] for message in sent["messages"]] == [sent["message"]["id"]]
    row = await world.read(chat)
    assert (row.state, row.last_model_config_id) == (State.R0, world.other_model)
    assert row.plan_mode == "plan"
    await (await world.run(chat)).step(last=Done())
    await world.send(chat, "thanks", plan_mode="")
    row = await world.read(chat)
    assert (row.plan_mode, row.last_model_config_id) == ("", world.other_model)


async def test_a_busy_chat_keeps_twenty_messages_and_no_more(world: World) -> None:
    chat = await world.chat()
    for n in range(20):
        sent = await world.send(chat, f"later {n}")
        assert sent["queued"] is True
        assert "message" not in sent
    refused = await world.post(f"/chats/{chat}/messages", {"content": words("x")}, status=429)
    assert refused.json()["message"] == "Message queue is full."
    assert refused.json()["detail"] == "Maximum 20 messages can be queued."
    waiting = await world.queue(chat)
    assert [one["content"][0]["text"] for one in waiting] == [f"later {n}" for n in range(20)]
    assert (await world.read(chat)).state is State.R1


async def test_the_deployment_says_how_many_wait(world: World) -> None:
    provide(world.people.app, ChatRules, ChatRules(most_queued=1))
    chat = await world.chat()
    await world.send(chat, "later")
    refused = await world.post(f"/chats/{chat}/messages", {"content": words("x")}, status=429)
    assert refused.json()["detail"] == "Maximum 1 messages can be queued."


async def test_a_turn_ends_with_the_heads_turn(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.send(chat, "two")
    await world.send(chat, "three")
    ended = await runner.step(last=Done())
    assert ended.chat.state is State.R1
    assert ended.chat.runner_id is None
    assert await world.log(chat) == ["user: one", "assistant: hi", "user: two"]
    runner = await world.run(chat)
    await runner.step(last=Done())
    ended = await (await world.run(chat)).step(last=Done())
    assert ended.chat.state is State.W
    expected = ["one", "hi", "two", "hi", "three", "hi"]
    assert [line.split(": ")[1] for line in await world.log(chat)] == expected


async def test_edge_case_06_interrupt_auto_promotion_ignores_later_usage_limit_change(
    world: World,
) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.send(chat, "two")
    await world.send(chat, "three")
    interrupted = await world.post(f"/chats/{chat}/interrupt")
    assert interrupted.json()["status"] == "interrupting"
    await world.sql(
        "UPDATE users SET chat_spend_limit_micros = 1 WHERE id = %(id)s", id=world.ann.id
    )
    await world.sql(
        "INSERT INTO chat_spend (owner_id, organization_id, day, cost_micros) "
        "VALUES (%(id)s, %(organization)s, current_date, 5)",
        id=world.ann.id,
        organization=world.organization,
    )
    await runner.step(said("par"), interrupted=True, last=Stopped("user"))
    assert await world.log(chat) == ["user: one", "assistant: par", "user: two"]
    assert (await world.read(chat)).state is State.R1
    refused = await world.post(f"/chats/{chat}/messages", {"content": words("four")}, status=409)
    assert refused.json()["message"] == "Chat usage limit exceeded."
    await world.sql("UPDATE users SET chat_spend_limit_micros = NULL")
    # The turn of "two" fails: the chat is idle, and "three" still waits.
    await (await world.run(chat)).end(OVERLOADED)
    assert (await world.read(chat)).state is State.E1
    sent = await world.send(chat, "four")
    assert sent["queued"] is True
    assert sent["queued_message"]["content"] == words("four")
    assert (await world.log(chat))[-1] == "user: three"
    assert [one["content"] for one in await world.queue(chat)] == [words("four")]
    assert (await world.read(chat)).state is State.R1


async def test_interrupting_sends_what_was_said_next(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    sent = await world.send(chat, "stop that", busy_behavior="interrupt")
    assert sent["queued"] is True
    assert (await world.read(chat)).state is State.I1
    await runner.step(said("so far"), interrupted=True, last=Stopped("user"))
    assert await world.log(chat) == ["user: one", "assistant: so far", "user: stop that"]


async def test_interrupting_what_nobody_runs_needs_nobody(world: World) -> None:
    chat = await world.chat("one")
    sent = await world.send(chat, "rather this", busy_behavior="interrupt")
    assert sent["queued"] is False
    assert sent["message"]["content"] == words("rather this")
    row = await world.read(chat)
    assert (row.state, row.queued) == (State.R0, 0)


async def test_interrupting_a_parked_chat_answers_its_calls_and_waits(world: World) -> None:
    chat = await world.chat("one")
    await (await world.run(chat)).step(called("c1", "c2"), last=Parked(()))
    await world.send(chat, "never mind", busy_behavior="interrupt")
    assert (await world.read(chat)).state is State.R1
    log = await world.log(chat)
    assert len([line for line in log if "interrupted by user" in line]) == 2


async def test_a_failed_turn_says_why_and_the_next_message_clears_it(world: World) -> None:
    chat = await world.chat()
    ended = await (await world.run(chat)).end(OVERLOADED)
    assert ended.chat.state is State.E0
    shown = await world.get(f"/chats/{chat}")
    assert shown["status"] == "error"
    assert shown["last_error"] == {
        "message": "Too busy.",
        "kind": "overloaded",
        "provider": "scripted",
        "retryable": True,
    }
    await world.send(chat, "again")
    assert "last_error" not in await world.get(f"/chats/{chat}")


async def test_edge_case_07_an_insert_that_fails_leaves_the_message_in_the_queue(
    world: World,
) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.send(chat, "two")
    await world.sql(
        "ALTER TABLE chat_messages ADD CONSTRAINT broken CHECK (role <> 'user') NOT VALID"
    )
    with pytest.raises(Exception, match="broken"):
        await runner.step(last=Done())
    assert [one["content"] for one in await world.queue(chat)] == [words("two")]
    assert (await world.read(chat)).state is State.R1
    assert await world.log(chat) == ["user: one"]  # the whole step went back with it
    await world.sql("ALTER TABLE chat_messages DROP CONSTRAINT broken")
    await runner.step(last=Done())
    assert (await world.log(chat))[-1] == "user: two"


async def test_two_who_finish_the_same_turn_finish_it_once(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.send(chat, "two")
    await world.send(chat, "three")
    results = await asyncio.gather(runner.end(Done()), runner.end(Done()), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Ended", "LeaseLost"]
    assert await world.log(chat) == ["user: one", "user: two"]


async def test_two_senders_and_a_finisher_lose_nothing(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await asyncio.gather(world.send(chat, "a"), world.send(chat, "b"), runner.step(last=Done()))
    row = await world.read(chat)
    waiting = [one["content"][0]["text"] for one in await world.queue(chat)]
    heard = [line.split(": ")[1] for line in await world.log(chat)]
    assert sorted([*waiting, *heard]) == ["a", "b", "hi", "one"]
    assert row.queued == len(waiting)
    assert row.state in (State.R0, State.R1)


async def test_a_lost_lease_changes_nothing(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.expire_lease(chat)
    await world.post(f"/chats/{chat}/interrupt")
    assert (await world.read(chat)).state is State.W
    with pytest.raises(LeaseLost):
        await runner.step(said("late"))
    with pytest.raises(LeaseLost):
        await runner.end(Done())
    assert await world.log(chat) == ["user: one"]


async def test_the_limit_of_a_page_and_its_cursors_are_checked(world: World) -> None:
    chat = await world.idle()
    for query in ("limit=0", "limit=201", "before_id=x", "after_id=5&before_id=5", "after_id=-1"):
        answer = await world.ann.api.get(f"/chats/{chat}/messages?{query}")
        assert answer.status_code == 400, query


async def test_edge_case_23_a_page_stays_while_new_rows_arrive(world: World) -> None:
    chat = await world.chat("0")
    runner = await world.run(chat)
    for n in range(1, 8):
        await runner.step(said(str(n)))
    await world.send(chat, "waits")
    first = await world.get(f"/chats/{chat}/messages?limit=3")
    assert first["has_more"] is True
    assert len(first["queued_messages"]) == 1
    before = first["messages"][-1]["id"]
    page = f"/chats/{chat}/messages?limit=3&before_id={before}"
    older = await world.get(page)
    await runner.step(said("8"))
    assert await world.get(page) == older
    assert older["queued_messages"] == []
    after = await world.get(f"/chats/{chat}/messages?after_id={before}")
    assert [spoken["content"][0]["text"] for spoken in after["messages"]] == ["6", "7", "8"]
    last = await world.get(
        f"/chats/{chat}/messages?limit=3&before_id={older['messages'][-1]['id']}"
    )
    assert (len(last["messages"]), last["has_more"]) == (2, False)
