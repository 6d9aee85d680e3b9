"""Sub-agents: made by a root, for the same owner, looked after by nobody else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chats.actions import subagents
from server.chats.errors import ChatArchived
from server.chats.model import State
from server.chats.model.config import TurnConfig
from server.kit.db import Tx
from server.kit.errors import ApiError
from server.llm import ErrorKind, ModelError, Role, Text, ToolCall
from server.loop import Done, Failed, Row, Stopped
from server.tools import Child, ChildOrder
from tests.server.chats.world import World, said

PROMPTS = TurnConfig()


@asynccontextmanager
async def as_ann(world: World) -> AsyncGenerator[Tx]:
    async with world.database.tx(await world.people.actor(world.ann)) as tx:
        yield tx


async def spawn(world: World, parent: UUID, prompt: str = "look", **rest: Any) -> Child:
    async with as_ann(world) as tx:
        return await subagents.spawn(tx, parent, PROMPTS, ChildOrder(prompt, **rest))


async def test_a_child_is_like_its_parent_and_begins_at_once(world: World) -> None:
    root = await world.idle(
        "one", plan_mode="plan", client_type="ui", model_config_id=str(world.other_model)
    )
    made = await spawn(world, root, "look for the bug in the parser now please")
    assert (made.title, made.type) == ("look for the bug in the…", "general")
    row, parent = await world.read(made.chat_id), await world.read(root)
    assert (row.parent_chat_id, row.root_chat_id) == (root, root)
    assert (row.owner_id, row.organization_id) == (parent.owner_id, parent.organization_id)
    assert (row.plan_mode, row.client_type) == ("plan", "ui")
    assert row.last_model_config_id == world.other_model
    assert row.state is State.R0
    assert await world.log(made.chat_id) == ["user: look for the bug in the parser now please"]
    shown = await world.get(f"/chats/{root}")
    assert [child["id"] for child in shown["children"]] == [str(made.chat_id)]
    assert (await world.get(f"/chats/{made.chat_id}"))["children"] == []


async def test_an_explorer_with_a_name_and_a_model(world: World) -> None:
    root = await world.idle()
    made = await spawn(
        world,
        root,
        type="explore",
        title="Scout",
        model_config_id=world.other_model,
        reasoning_effort="low",
    )
    row = await world.read(made.chat_id)
    assert (row.mode, row.title, row.title_source) == ("explore", "Scout", "user")
    assert (row.last_model_config_id, row.last_reasoning_effort) == (world.other_model, "low")
    assert made.type == "explore"


async def test_what_cannot_be_made(world: World) -> None:
    root = await world.idle()
    made = await spawn(world, root)
    with pytest.raises(ApiError, match="delegated chats cannot create child subagents"):
        await spawn(world, made.chat_id)
    with pytest.raises(ApiError, match="Invalid model config ID"):
        await spawn(world, root, model_config_id=uuid4())
    await world.post(f"/chats/{root}/archive", status=204)
    with pytest.raises(ChatArchived):
        await spawn(world, root)


async def test_nobody_elses_child_is_looked_after(world: World) -> None:
    root, other = await world.idle(), await world.idle()
    made = await spawn(world, other)
    async with as_ann(world) as tx:
        for chat in (made.chat_id, other, uuid4()):
            for asked in (
                subagents.child(tx, root, chat),
                subagents.message(tx, root, chat, "x", interrupt=False),
                subagents.interrupt(tx, root, chat),
            ):
                with pytest.raises(ApiError, match="target chat is not a descendant"):
                    await asked


async def test_a_report_is_the_last_thing_it_said(world: World) -> None:
    root = await world.idle()
    made = await spawn(world, root)
    runner = await world.run(made.chat_id)
    async with as_ann(world) as tx:
        working = await subagents.child(tx, root, made.chat_id)
    assert (working.done, working.report) == (False, "")
    await runner.step(said("found it"))
    calls = Row(Role.ASSISTANT, (ToolCall("c1", "execute"),))
    folded = Row(Role.ASSISTANT, (Text("sum"),), visibility="user", compressed=True)
    await runner.step(calls, folded, last=Done())
    async with as_ann(world) as tx:
        done = await subagents.child(tx, root, made.chat_id)
    assert (done.done, done.status, done.report) == (True, "waiting", "found it")


async def test_a_failure_is_told_with_its_reason(world: World) -> None:
    root = await world.idle()
    made = await spawn(world, root)
    failed = Failed(ModelError(ErrorKind.AUTH, "No key.", detail="401"))
    await (await world.run(made.chat_id)).end(failed)
    async with as_ann(world) as tx:
        child = await subagents.child(tx, root, made.chat_id)
    assert (child.done, child.status) == (True, "error")
    assert child.error is not None
    assert (child.error["message"], child.error["detail"]) == ("No key.", "401")


async def test_a_working_child_reads_its_mail_later_or_is_stopped_for_it(world: World) -> None:
    root = await world.idle()
    made = await spawn(world, root)
    runner = await world.run(made.chat_id)
    async with as_ann(world) as tx:
        await subagents.message(tx, root, made.chat_id, "later", interrupt=False)
    assert (await world.read(made.chat_id)).state is State.R1
    async with as_ann(world) as tx:
        await subagents.message(tx, root, made.chat_id, "now", interrupt=True)
    assert (await world.read(made.chat_id)).state is State.I1
    await runner.step(said("so far"), interrupted=True, last=Stopped("parent"))
    log = await world.log(made.chat_id)
    assert log == ["user: look", "assistant: so far", "user: later"]
    async with as_ann(world) as tx:
        stopped = await subagents.interrupt(tx, root, made.chat_id)
    assert not stopped.done  # "now" is next


async def test_children_are_listed_newest_first(world: World) -> None:
    root = await world.idle()
    made = [(await spawn(world, root, f"task {n}")).chat_id for n in range(3)]
    async with as_ann(world) as tx:
        page, total = await subagents.listed(tx, root, 2, 0)
        rest, _ = await subagents.listed(tx, root, 2, 2)
    assert [child.chat_id for child in (*page, *rest)] == made[::-1]
    assert total == 3


async def test_a_sub_agent_cannot_be_pinned(world: World) -> None:
    root = await world.idle()
    made = await spawn(world, root)
    refused = await world.ann.api.patch(f"/chats/{made.chat_id}", json={"pin_order": 1})
    assert refused.status_code == 400
