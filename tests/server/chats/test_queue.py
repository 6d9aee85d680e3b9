"""What waits: taken back, or sent next."""

import asyncio
from uuid import UUID

import pytest

from server.chats.model import State
from server.chats.store import leases
from server.llm import ErrorKind, ModelError
from server.loop import Done, Failed, LeaseLost, Parked, Stopped
from tests.server.chats.world import SYSTEM, World, called, said, words

FAILED = Failed(ModelError(ErrorKind.AUTH, "No key."))


async def ids(world: World, chat: UUID) -> dict[str, int]:
    return {one["content"][0]["text"]: one["id"] for one in await world.queue(chat)}


async def busy(world: World, *waiting: str) -> UUID:
    chat = await world.chat("one")
    for text in waiting:
        await world.send(chat, text)
    return chat


async def test_the_last_one_that_is_taken_back_leaves_an_empty_queue(world: World) -> None:
    chat = await busy(world, "a", "b")
    waiting = await ids(world, chat)
    for text, state in (("a", State.R1), ("b", State.R0)):
        gone = await world.ann.api.delete(f"/chats/{chat}/queue/{waiting[text]}")
        assert gone.status_code == 204
        assert (await world.read(chat)).state is state
    missing = await world.ann.api.delete(f"/chats/{chat}/queue/{waiting['a']}")
    assert (missing.status_code, missing.json()["message"]) == (404, "Queued message not found.")
    bob = await world.people.add("bob")
    assert (await bob.api.delete(f"/chats/{chat}/queue/1")).status_code == 404


async def test_a_message_is_taken_back_or_run_but_never_both(world: World) -> None:
    for _ in range(6):
        chat = await busy(world)
        runner = await world.run(chat)
        await world.send(chat, "a")
        (queued,) = (await ids(world, chat)).values()
        gone, _ = await asyncio.gather(
            world.ann.api.delete(f"/chats/{chat}/queue/{queued}"), runner.step(last=Done())
        )
        ran = "user: a" in await world.log(chat)
        assert ran != (gone.status_code == 204)
        assert await world.queue(chat) == []
        assert (await world.read(chat)).state is (State.R0 if ran else State.W)


async def test_after_a_failure_the_chosen_one_goes_first(world: World) -> None:
    chat = await busy(world, "a", "b", "c")
    await (await world.run(chat)).end(FAILED)
    waiting = await ids(world, chat)
    sent = await world.post(f"/chats/{chat}/queue/{waiting['b']}/promote")
    assert sent.json()["content"] == words("b")
    assert sent.json()["role"] == "user"
    assert list(await ids(world, chat)) == ["a", "c"]
    assert (await world.read(chat)).state is State.R1


async def test_edge_case_08_what_was_being_said_comes_first_then_the_promoted_one(
    world: World,
) -> None:
    chat = await busy(world, "a", "b")
    runner = await world.run(chat)
    waiting = await ids(world, chat)
    promoted = await world.post(f"/chats/{chat}/queue/{waiting['b']}/promote", status=202)
    assert promoted.json()["id"] == waiting["b"]
    assert list(await ids(world, chat)) == ["b", "a"]
    assert (await world.read(chat)).state is State.I1
    await runner.step(said("so far"), interrupted=True, last=Stopped("promote"))
    assert await world.log(chat) == ["user: one", "assistant: so far", "user: b"]
    assert list(await ids(world, chat)) == ["a"]


async def test_edge_case_08_with_a_stale_heartbeat_it_runs_at_once(world: World) -> None:
    chat = await busy(world, "a", "b")
    runner = await world.run(chat)
    await world.expire_lease(chat)
    waiting = await ids(world, chat)
    sent = await world.post(f"/chats/{chat}/queue/{waiting['b']}/promote")
    assert sent.json()["content"] == words("b")
    row = await world.read(chat)
    assert (row.state, row.runner_id) == (State.R1, None)
    with pytest.raises(LeaseLost):
        await runner.step(said("late"), interrupted=True)


async def test_edge_case_08_a_worker_that_dies_in_between_is_replaced(world: World) -> None:
    chat = await busy(world, "a")
    await world.run(chat)
    (queued,) = (await ids(world, chat)).values()
    await world.post(f"/chats/{chat}/queue/{queued}/promote", status=202)
    await world.expire_lease(chat)
    async with world.database.tx(SYSTEM) as tx:
        (left,) = await leases.recover(tx)
    assert left.id == chat
    await (await world.run(chat)).end(Stopped("nothing was said"))
    assert await world.log(chat) == ["user: one", "user: a"]
    assert (await world.read(chat)).state is State.R0


async def test_promoting_in_a_parked_chat_answers_its_calls(world: World) -> None:
    chat = await world.chat("one")
    await (await world.run(chat)).step(called("c1"), last=Parked(()))
    await world.send(chat, "a")
    (queued,) = (await ids(world, chat)).values()
    await world.post(f"/chats/{chat}/queue/{queued}/promote")
    log = await world.log(chat)
    assert "interrupted by user" in log[-2]
    assert log[-1] == "user: a"
    assert (await world.read(chat)).state is State.R0


async def test_promoting_what_is_not_there_is_refused(world: World) -> None:
    chat = await busy(world, "a")
    assert (await world.ann.api.post(f"/chats/{chat}/queue/99999/promote")).status_code == 404
    assert (await world.ann.api.post(f"/chats/{chat}/queue/x/promote")).status_code == 400
    await world.post(f"/chats/{chat}/archive", status=204)
    refused = await world.ann.api.post(f"/chats/{chat}/queue/99999/promote")
    assert refused.json()["message"] == "Chat is archived."
