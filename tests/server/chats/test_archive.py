"""Put chats away with their families, and bring them back."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chats.model import State
from server.chats.store import chats
from server.chats.store.chats import NewChat
from server.llm import ErrorKind, ModelError
from server.loop import Done, Failed, LeaseLost, Parked, Stopped
from tests.server.chats.world import SYSTEM, World, called, said


async def child(world: World, parent: UUID) -> UUID:
    made = uuid4()
    new = NewChat(
        made,
        world.organization,
        world.ann.id,
        "child",
        world.model,
        parent_chat_id=parent,
        root_chat_id=parent,
    )
    async with world.database.tx(SYSTEM) as tx:
        await chats.insert(tx, new)
    return made


async def test_a_family_goes_and_comes_back_as_one(world: World) -> None:
    root = await world.idle("one")
    below = await child(world, root)
    runner = await world.run(below)
    await world.post(f"/chats/{root}/archive", status=204)
    assert (await world.read(root)).state is State.XW
    assert (await world.read(below)).state is State.XW
    # What the child had said by then is kept.
    await runner.step(said("so far"), interrupted=True, last=Stopped("archived"))
    assert await world.log(below) == ["assistant: so far"]
    assert (await world.read(below)).state is State.XW
    refused = await world.post(f"/chats/{below}/unarchive", status=400)
    assert refused.json()["message"] == "Cannot unarchive a chat while its parent is archived."
    await world.post(f"/chats/{root}/unarchive", status=204)
    assert (await world.read(root)).state is State.W
    assert (await world.read(below)).state is State.W


async def test_a_sub_agent_can_go_alone(world: World) -> None:
    root = await world.idle("one")
    below = await child(world, root)
    await world.post(f"/chats/{below}/archive", status=204)
    assert (await world.read(root)).state is State.W
    await world.post(f"/chats/{below}/unarchive", status=204)
    assert (await world.read(below)).state is State.W


async def test_what_is_away_cannot_go_and_what_is_here_cannot_come(world: World) -> None:
    chat = await world.idle("one")
    here = await world.post(f"/chats/{chat}/unarchive", status=400)
    assert here.json()["message"] == "Chat is not archived."
    await world.post(f"/chats/{chat}/archive", status=204)
    away = await world.post(f"/chats/{chat}/archive", status=400)
    assert away.json()["message"] == "Chat is already archived."


@pytest.mark.parametrize("waiting", [0, 3])
@pytest.mark.parametrize("doing", ["pending", "running", "interrupting", "requires_action"])
async def test_whatever_runs_is_stopped_hard(world: World, doing: str, waiting: int) -> None:
    chat = await world.chat("one")
    runner = None if doing == "pending" else await world.run(chat)
    if runner and doing == "requires_action":
        await runner.step(called("c1"), last=Parked(()))
    for n in range(waiting):
        await world.send(chat, f"later {n}")
    if doing == "interrupting":
        await world.post(f"/chats/{chat}/interrupt")
    await world.post(f"/chats/{chat}/archive", status=204)
    row = await world.read(chat)
    assert (row.state, row.runner_id, row.queued) == (State.XW, None, 0)
    log = await world.log(chat)
    assert log[len(log) - waiting :] == [f"user: later {n}" for n in range(waiting)]
    assert await world.queue(chat) == []
    assert await world.acquire() == []
    if runner and waiting:
        # History went on: what the turn had said belongs before that, and is dropped.
        with pytest.raises(LeaseLost):
            await runner.step(said("late"), interrupted=True)


async def test_what_waits_behind_a_failure_stays_there(world: World) -> None:
    chat = await world.chat("one")
    await world.send(chat, "two")
    await (await world.run(chat)).end(Failed(ModelError(ErrorKind.AUTH, "No key.")))
    await world.post(f"/chats/{chat}/archive", status=204)
    assert (await world.read(chat)).state is State.XE1
    shown: Any = await world.get(f"/chats/{chat}")
    assert shown["last_error"]["kind"] == "auth"
    await world.post(f"/chats/{chat}/unarchive", status=204)
    assert (await world.read(chat)).state is State.E1
    assert len(await world.queue(chat)) == 1


async def test_a_patch_archives_too_and_the_pin_goes(world: World) -> None:
    chat = await world.idle("one")
    assert (await world.ann.api.patch(f"/chats/{chat}", json={"pin_order": 1})).status_code == 204
    assert (await world.read(chat)).pin_order == 1
    assert (await world.ann.api.patch(f"/chats/{chat}", json={"archived": True})).status_code == 204
    row = await world.read(chat)
    assert (row.state, row.pin_order) == (State.XW, 0)
    again = await world.ann.api.patch(f"/chats/{chat}", json={"archived": True})
    assert again.json()["message"] == "Chat is already archived."


async def test_a_turn_cannot_end_what_was_put_away(world: World) -> None:
    chat = await world.chat("one")
    runner = await world.run(chat)
    await world.post(f"/chats/{chat}/archive", status=204)
    with pytest.raises(LeaseLost):
        await runner.end(Done())
    with pytest.raises(LeaseLost):
        await runner.step(said("late"))
