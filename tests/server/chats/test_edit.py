"""Say something otherwise: what came after goes, and stays paid for."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chats.model import State
from server.chats.store import messages
from server.llm import Role, Text, Usage
from server.loop import Done, LeaseLost, Row, Stopped
from tests.server.chats.world import SYSTEM, World, called, said, words


async def first_id(world: World, chat: UUID) -> int:
    page = await world.get(f"/chats/{chat}/messages")
    return page["messages"][-1]["id"]


async def edit(world: World, chat: UUID, message: object, text: str = "other", **rest: Any) -> Any:
    return await world.ann.api.patch(
        f"/chats/{chat}/messages/{message}", json={"content": words(text), **rest}
    )


async def test_an_edit_cuts_and_asks_anew(world: World) -> None:
    chat = await world.idle("one")
    await world.send(chat, "two")
    await world.send(chat, "waits")
    page = await world.get(f"/chats/{chat}/messages")
    ids = [message["id"] for message in reversed(page["messages"])]
    answer = await edit(world, chat, ids[0], "uno")
    assert answer.status_code == 200
    edited = answer.json()
    assert edited["message"]["content"] == words("uno")
    assert edited["deleted_message_ids"] == ids
    assert await world.log(chat) == ["user: uno"]
    assert await world.queue(chat) == []
    row = await world.read(chat)
    assert (row.state, row.queued, row.runner_id) == (State.R0, 0, None)


@pytest.mark.parametrize(
    ("message", "status", "words_"),
    [
        ("abc", 400, "Invalid chat message ID."),
        ("-1", 400, "Invalid chat message ID."),
        ("0", 400, "Invalid chat message ID."),
        ("99999999999999999999999", 400, "Invalid chat message ID."),
        ("0" * 19 + "1" + "0" * 5000, 400, "Invalid chat message ID."),
        ("999999999", 404, "Chat message not found."),
    ],
)
async def test_an_edit_of_nothing_is_refused(
    world: World, message: str, status: int, words_: str
) -> None:
    chat = await world.idle()
    answer = await edit(world, chat, message)
    assert (answer.status_code, answer.json()["message"]) == (status, words_)


async def test_only_what_a_person_said_can_be_edited(world: World) -> None:
    chat = await world.idle()
    page = await world.get(f"/chats/{chat}/messages")
    answer = await edit(world, chat, page["messages"][0]["id"])
    assert (answer.status_code, answer.json()["message"]) == (
        400,
        "Only user messages can be edited.",
    )
    other = await world.idle()
    elsewhere = await edit(world, other, page["messages"][1]["id"])
    assert elsewhere.json()["message"] == "Chat message not found."
    # System rows and summaries are the model's: nobody sees that they are there.
    system = await world.sql("SELECT min(id) FROM chat_messages WHERE chat_id = %(id)s", id=chat)
    assert (await edit(world, chat, system)).status_code == 404


async def test_an_edit_that_makes_no_sense_changes_nothing(world: World) -> None:
    chat = await world.idle()
    message = await first_id(world, chat)
    path = f"/chats/{chat}/messages/{message}"
    bad: list[tuple[dict[str, Any], str]] = [
        ({"content": []}, "Content is required."),
        ({"content": [{"type": "file"}]}, "Invalid input part."),
    ]
    for body, refusal in bad:
        answer = await world.ann.api.patch(path, json=body)
        assert (answer.status_code, answer.json()["message"]) == (400, refusal)
    assert await world.log(chat) == ["user: hello", "assistant: hi"]
    await world.post(f"/chats/{chat}/archive", status=204)
    assert (await edit(world, chat, message)).json()["message"] == "Chat is archived."


async def test_edge_case_04_an_edit_may_change_the_model(world: World) -> None:
    chat = await world.idle("one")
    message = await first_id(world, chat)
    before = (await world.read(chat)).last_model_config_id
    unknown = await edit(world, chat, message, "two", model_config_id=str(uuid4()))
    assert (unknown.status_code, unknown.json()["message"]) == (400, "Invalid model config ID.")
    assert await world.log(chat) == ["user: one", "assistant: hi"]
    assert (await world.read(chat)).last_model_config_id == before
    other = str(world.other_model)
    edited = (await edit(world, chat, message, "two", model_config_id=other)).json()["message"]
    assert edited["model_config_id"] == other
    assert (await world.read(chat)).last_model_config_id == world.other_model
    await (await world.run(chat)).step(last=Done())
    await world.send(chat, "next", model_config_id=str(world.model))
    again = (await edit(world, chat, edited["id"], "three")).json()["message"]
    assert again["model_config_id"] == other
    assert (await world.read(chat)).last_model_config_id == world.other_model


# The same, under the names of the seed.
async def test_edit_message_with_model_config_override(world: World) -> None:
    chat = await world.idle()
    message = await first_id(world, chat)
    answer = await edit(world, chat, message, model_config_id=str(world.other_model))
    assert answer.json()["message"]["model_config_id"] == str(world.other_model)
    shown = await world.get(f"/chats/{chat}")
    assert shown["last_model_config_id"] == str(world.other_model)


async def test_edit_message_preserves_model_config_by_default(world: World) -> None:
    chat = await world.idle(model_config_id=str(world.other_model))
    message = await first_id(world, chat)
    await world.send(chat, "next", model_config_id=str(world.model))
    answer = await edit(world, chat, message)
    assert answer.json()["message"]["model_config_id"] == str(world.other_model)


async def test_edit_message_rejects_unknown_model_config(world: World) -> None:
    chat = await world.idle()
    message = await first_id(world, chat)
    answer = await edit(world, chat, message, model_config_id=str(uuid4()))
    assert answer.status_code == 400
    assert await first_id(world, chat) == message
    assert (await world.read(chat)).last_model_config_id == world.model


async def test_edge_case_02_what_was_being_said_is_kept_after_a_stop_and_dropped_after_an_edit(
    world: World,
) -> None:
    # A stop that takes the chat from its runner: the runner may still leave its last words.
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.expire_lease(chat)
    await world.post(f"/chats/{chat}/interrupt")
    row = await world.read(chat)
    assert (row.state, row.worker_id) == (State.W, None)
    await runner.step(said("so far"), interrupted=True, last=Stopped("user"))
    assert await world.log(chat) == ["user: one", "assistant: so far"]
    assert (await world.read(chat)).state is State.W
    # An edit cuts history: nothing of the old turn may follow.
    await world.send(chat, "two")
    runner = await world.run(chat)
    await edit(world, chat, await first_id(world, chat), "uno")
    with pytest.raises(LeaseLost):
        await runner.step(said("late"), interrupted=True, last=Stopped("edit"))
    assert await world.log(chat) == ["user: uno"]
    assert (await world.read(chat)).state is State.R0


async def test_last_words_come_too_late_once_a_new_turn_began(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.expire_lease(chat)
    await world.post(f"/chats/{chat}/interrupt")
    await world.send(chat, "two")
    with pytest.raises(LeaseLost):
        await runner.step(said("late"), interrupted=True)
    assert await world.log(chat) == ["user: one", "user: two"]


async def test_edge_case_03_nothing_of_the_old_turn_follows_an_edit_and_its_cost_stays(
    world: World,
) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    priced = Row(
        Role.ASSISTANT, (Text("dear"),), usage=Usage(output_tokens=9), cost_micros=700, runtime_ms=5
    )
    await runner.step(priced)
    await edit(world, chat, await first_id(world, chat), "uno")
    for late in (runner.step(said("late")), runner.end(Done())):
        with pytest.raises(LeaseLost):
            await late
    assert await world.log(chat) == ["user: uno"]
    spent = "SELECT sum(total_cost_micros) FROM chat_messages WHERE chat_id = %(id)s"
    assert await world.sql(spent, id=chat) == 700
    assert await world.sql("SELECT sum(cost_micros) FROM chat_spend") == 700
    deleted = "SELECT count(*) FROM chat_messages WHERE chat_id = %(id)s AND deleted"
    assert await world.sql(deleted, id=chat) == 2


async def test_an_edit_and_a_step_at_once_agree(world: World) -> None:
    for _ in range(5):
        chat = await world.chat("one")
        runner = await world.run(chat)
        message = await first_id(world, chat)
        stored, _ = await asyncio.gather(
            runner.step(said("two")), edit(world, chat, message, "uno"), return_exceptions=True
        )
        assert await world.log(chat) == ["user: uno"]
        assert (await world.read(chat)).state is State.R0
        if not isinstance(stored, LeaseLost):
            with pytest.raises(LeaseLost):
                await runner.step(said("three"))


async def test_an_edit_before_a_summary_reaches_what_was_summed_up(world: World) -> None:
    chat = await world.idle("one")
    await world.send(chat, "two")
    runner = await world.run(chat)
    await runner.step(
        Row(Role.USER, (Text("sum"),), visibility="model", compressed=True),
        Row(Role.ASSISTANT, (Text("call"),), visibility="user", compressed=True),
        Row(Role.TOOL, (Text("result"),), compressed=True),
        last=Done(),
    )
    page = await world.get(f"/chats/{chat}/messages")
    second = next(m["id"] for m in page["messages"] if m["content"] == words("two"))
    await edit(world, chat, second, "zwei")
    async with world.database.tx(SYSTEM) as tx:
        view = await messages.prompt_view(tx, chat)
    assert [m.content[0]["text"] for m in view if m.role is not Role.SYSTEM] == [
        "one",
        "hi",
        "zwei",
    ]


async def test_an_edit_of_a_parked_chat_forgets_its_calls(world: World) -> None:
    chat = await world.chat("one")
    await (await world.run(chat)).step(called("c1"))
    message = await first_id(world, chat)
    await edit(world, chat, message, "uno")
    row = await world.read(chat)
    assert (row.state, row.requires_action_deadline_at) == (State.R0, None)
    refused = await world.post(
        f"/chats/{chat}/tool-results",
        {"results": [{"tool_call_id": "c1", "output": 1}]},
        status=409,
    )
    assert refused.json()["message"] == "Chat is not waiting for tool results."
