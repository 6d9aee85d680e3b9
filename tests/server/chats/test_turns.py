"""How turns are stored and end; what is asked of clients; stopping."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.chats.actions import turns
from server.chats.convert.rows import new_message
from server.chats.events import Change, ChatChanged
from server.chats.model import Move, State, moved
from server.chats.model.failures import Failure
from server.chats.store import messages
from server.llm import Role, Text
from server.loop import Done, LeaseLost, Limited, Parked, Row, Stopped
from tests.server.chats.world import SYSTEM, World, answered, called, said


async def parked(world: World, *calls: str) -> UUID:
    chat = await world.chat("one")
    await (await world.run(chat)).step(called(*calls), last=Parked(()))
    return chat


def results(*given: tuple[str, Any]) -> dict[str, Any]:
    return {"results": [{"tool_call_id": id_, "output": output} for id_, output in given]}


async def test_a_parked_chat_waits_five_minutes_for_exactly_its_calls(world: World) -> None:
    chat = await parked(world, "c1", "c2")
    row = await world.read(chat)
    assert (row.state, row.runner_id) == (State.A0, None)
    assert row.requires_action_deadline_at is not None
    assert row.requires_action_deadline_at - row.updated_at == timedelta(minutes=5)
    assert (await world.get(f"/chats/{chat}"))["status"] == "requires_action"
    async with world.database.tx(SYSTEM) as tx:
        assert [call.id for call in await turns.required_calls(tx, chat)] == ["c1", "c2"]


async def test_edge_case_22_results_match_exactly_and_are_taken_once(world: World) -> None:
    chat = await parked(world, "c1", "c2")
    path = f"/chats/{chat}/tool-results"
    for body, message in (
        (results(), "Missing tool result."),
        (results(("c1", 1)), "Missing tool result."),
        (results(("c1", 1), ("c1", 2)), "Duplicate tool_call_id in results."),
        (results(("c1", 1), ("c2", 2), ("c3", 3)), "Unexpected tool result."),
        (
            {"results": [{"tool_call_id": "c1"}, {"tool_call_id": "c2"}]},
            "Tool result output must be valid JSON.",
        ),
    ):
        refused = await world.post(path, body, status=400)
        assert refused.json()["message"] == message
    given = results(("c2", {"b": [None]}), ("c1", None))
    answers = await asyncio.gather(*(world.ann.api.post(path, json=given) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    again = await world.post(path, given, status=409)
    assert again.json()["message"] == "Chat is not waiting for tool results."
    row = await world.read(chat)
    assert (row.state, row.requires_action_deadline_at) == (State.R0, None)
    page = await world.get(f"/chats/{chat}/messages?limit=2")
    assert [m["content"][0]["tool_call_id"] for m in page["messages"]] == ["c2", "c1"]
    assert [m["content"][0].get("result") for m in page["messages"]] == [{"b": [None]}, None]


async def test_edge_case_22_an_interrupt_answers_in_the_clients_place(world: World) -> None:
    chat = await parked(world, "c1", "c2")
    await world.post(f"/chats/{chat}/interrupt")
    assert (await world.read(chat)).state is State.R0
    page = await world.get(f"/chats/{chat}/messages?limit=2")
    parts = [message["content"][0] for message in page["messages"]]
    assert [part["tool_call_id"] for part in parts] == ["c2", "c1"]
    assert all(part["is_error"] for part in parts)
    assert parts[0]["result"] == {"error": "Tool execution interrupted by user"}
    # It goes on with them; a second interrupt ends it.
    await world.post(f"/chats/{chat}/interrupt")
    assert (await world.read(chat)).state is State.W


async def test_edge_case_22_a_deadline_that_passes_is_an_error(world: World) -> None:
    chat = await parked(world, "c1")
    await world.send(chat, "later")
    async with world.database.tx(SYSTEM) as tx:
        assert await turns.expire_requires_action(tx, chat) is None
    await world.sql("UPDATE chats SET requires_action_deadline_at = now() - interval '1 s'")
    async with world.database.tx(SYSTEM) as tx:
        ended = await turns.expire_requires_action(tx, chat)
    assert ended is not None
    assert ended.chat.state is State.E1
    shown = await world.get(f"/chats/{chat}")
    assert shown["last_error"]["message"] == "Dynamic tool execution timed out"
    assert "timed out" in (await world.log(chat))[-1]
    async with world.database.tx(SYSTEM) as tx:
        assert await turns.expire_requires_action(tx, chat) is None


async def test_a_mixed_step_waits_for_the_clients_calls_only(world: World) -> None:
    chat = await world.chat("one")
    await (await world.run(chat)).step(called("own", "theirs"), answered("own"), last=Parked(()))
    await world.post(f"/chats/{chat}/tool-results", results(("theirs", "x")), status=204)
    assert (await world.read(chat)).state is State.R0


async def test_results_with_nul_come_back_to_the_bit(world: World) -> None:
    """Edge case 14, what clients' tools answer."""
    chat = await parked(world, "c1")
    given = {"a\0b": ["\ue000", {"c": "\0\ue001"}]}
    await world.post(f"/chats/{chat}/tool-results", results(("c1", given)), status=204)
    page = await world.get(f"/chats/{chat}/messages?limit=1")
    assert page["messages"][0]["content"][0]["result"] == given


async def test_an_interrupt_leaves_the_last_words_to_the_runner(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    for _ in range(2):
        stopped = await world.post(f"/chats/{chat}/interrupt")
        assert stopped.json()["status"] == "interrupting"
    before = await world.read(chat)
    assert before.runner_id == runner.id
    ended = await runner.step(said("so far"), interrupted=True, last=Stopped("user"))
    assert ended.chat.state is State.W
    assert await world.log(chat) == ["user: one", "assistant: so far"]
    idle = await world.post(f"/chats/{chat}/interrupt")
    assert idle.json()["status"] == "waiting"
    assert (await world.read(chat)).snapshot_version == ended.chat.snapshot_version


async def test_a_turn_that_ends_while_it_is_stopped_ends_as_stopped(world: World) -> None:
    for outcome in (Done(), Limited("No money."), Stopped("user")):
        chat = await world.chat("one")
        runner = await world.run(chat)
        await world.post(f"/chats/{chat}/interrupt")
        assert (await runner.end(outcome)).chat.state is State.W


async def test_a_turn_that_parks_while_it_is_stopped_answers_its_calls(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.post(f"/chats/{chat}/interrupt")
    ended = await runner.step(called("c1"), last=Parked(()))
    assert ended.chat.state is State.W
    assert "interrupted by user" in (await world.log(chat))[-1]


async def test_a_shutdown_gives_the_chat_back(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.send(chat, "two")
    ended = await runner.step(said("so far"), interrupted=True, last=Stopped("shutdown"))
    assert (ended.chat.state, ended.chat.runner_id) == (State.R1, None)
    assert [one["content"][0]["text"] for one in await world.queue(chat)] == ["two"]
    with pytest.raises(LeaseLost):
        await runner.end(Stopped("shutdown"))


async def test_a_panic_is_an_error_that_is_told(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    failure = Failure("chat processing panicked: boom", detail="x")
    async with world.database.tx(SYSTEM) as tx:
        await turns.finish_error(tx, chat, runner.id, failure)
    shown = await world.get(f"/chats/{chat}")
    assert shown["status"] == "error"
    assert shown["last_error"] == {
        "message": "chat processing panicked: boom",
        "detail": "x",
        "kind": "generic",
        "retryable": False,
    }


async def test_no_money_left_is_an_error_of_its_own_kind(world: World) -> None:
    chat = await world.chat("one")
    await (await world.run(chat)).end(Limited("5 of 5 are spent."))
    shown = await world.get(f"/chats/{chat}")
    assert shown["last_error"] == {
        "message": "5 of 5 are spent.",
        "kind": "usage_limit",
        "retryable": False,
    }


async def test_a_step_and_its_turns_end_are_few_statements(world: World) -> None:
    """One for the rows, versions, money and the end; what is told goes with the commit."""
    chat = await world.chat("one")
    runner = await world.run(chat)
    counted: list[str] = []
    async with world.database.tx(SYSTEM) as tx:
        execute: Any = tx.conn.execute
        cursor: Any = tx.conn.cursor

        class Counting:
            """A connection that counts what is run on it."""

            def __getattr__(self, name: str) -> Any:
                return getattr(tx.conn, name)

            async def execute(self, sql: str, *args: Any) -> Any:
                counted.append(sql)
                return await execute(sql, *args)

            def cursor(self, *args: Any, **rest: Any) -> Any:
                counted.append("cursor")
                return cursor(*args, **rest)

        counting: Any = replace(tx, conn=Counting())
        batch = turns.batch([new_message(said())])
        await turns.commit_step(counting, chat, runner.id, batch, last=Done())
    assert len(counted) == 1


async def test_what_ends_with_its_last_step_is_as_the_table_of_moves_has_it(world: World) -> None:
    chat = await world.chat("one")
    assert (await world.post(f"/chats/{chat}/interrupt", status=200)).status_code == 200
    await world.send(chat, "two")
    runner = await world.run(chat)
    async with world.database.tx(SYSTEM) as tx:
        await tx.run(
            """
            UPDATE chats SET retry_state = '{"attempt": 1}', compaction_requested_at = now()
             WHERE id = %(id)s
            """,
            {"id": chat},
        )
    before = await world.read(chat)
    done = await runner.step(last=Done())
    row = await world.read(chat)
    expected = replace(
        moved(before, Move.FINISH_TURN, row.updated_at),
        updated_at=row.updated_at,
        has_unread=True,
        snapshot_version=before.snapshot_version + 1,
        history_version=before.history_version + 1,
    )
    assert row == expected
    assert done.chat == expected
    assert done.changes == (Change.MESSAGES, Change.STATUS)
    async with world.database.tx(SYSTEM) as tx:
        assert await tx.value("SELECT count(*) FROM chat_heartbeats") == 0


async def test_folding_and_clearing_need_an_idle_chat_with_a_history(world: World) -> None:
    chat = await world.chat("one")
    for path, message in (
        ("compact", "There is nothing to compact."),
        ("clear", "There is nothing to clear."),
    ):
        refused = await world.post(f"/chats/{chat}/{path}", status=409)
        assert refused.json()["message"] == message
    await (await world.run(chat)).step(last=Done())
    folded = await world.post(f"/chats/{chat}/compact")
    assert folded.json()["status"] == "pending"
    row = await world.read(chat)
    assert row.state is State.R0
    assert row.compaction_requested_at is not None
    ended = await (await world.run(chat)).end(Done())
    assert ended.chat.compaction_requested_at is None
    cleared = await world.post(f"/chats/{chat}/clear")
    assert cleared.json()["status"] == "waiting"
    log = await world.log(chat)
    assert log[:2] == ["user: one", "assistant: hi"]
    assert len(log) == 4
    async with world.database.tx(SYSTEM) as tx:
        view = await messages.prompt_view(tx, chat)
    assert [row.compressed for row in view if row.role != "system"] == [True]
    for path in ("clear", "compact"):
        await world.post(f"/chats/{chat}/{path}", status=409)


async def test_what_was_summed_up_can_be_cleared_too(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await runner.step(
        Row(Role.USER, (Text("sum"),), visibility="model", compressed=True), last=Done()
    )
    refused = await world.post(f"/chats/{chat}/compact", status=409)
    assert refused.json()["detail"] == "Nothing was said since the last summary."
    await world.post(f"/chats/{chat}/clear")
    await world.post(f"/chats/{chat}/clear", status=409)


async def test_a_state_that_cannot_be_is_repaired_to_an_error(world: World) -> None:
    chat = await world.idle("one")
    same = await world.post(f"/chats/{chat}/reconcile-invalid")
    assert same.json()["status"] == "waiting"
    await world.sql(
        "UPDATE chats SET status = 'requires_action', requires_action_deadline_at = now()"
    )
    mended = await world.post(f"/chats/{chat}/reconcile-invalid")
    assert mended.json()["status"] == "error"
    assert (await world.read(chat)).state is State.E0
    # The queue's count that is wrong, too.
    await world.sql("UPDATE chats SET queued = 3")
    await world.post(f"/chats/{chat}/reconcile-invalid")
    assert (await world.read(chat)).state is State.E0


async def test_facts_are_small(world: World) -> None:
    fact = ChatChanged(
        chat_id=world.ann.id,
        owner_id=world.ann.id,
        changes=tuple(Change),
        status="requires_action",
        snapshot_version=2**63,
        history_version=2**63,
        queue_version=2**63,
        runner_id=world.ann.id,
        parent_chat_id=world.ann.id,
        runnable=True,
    )
    body = {"topics": fact.topics(), "fact": fact.model_dump(mode="json")}
    assert len(json.dumps(body)) < 1500
