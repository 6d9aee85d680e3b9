"""Questions to the person, and other agents."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from server.tools import close_chat
from tests.server.tools.scene import UNREACHABLE, Scene, Turn

QUESTION = {
    "header": "Base",
    "question": "Which?",
    "options": [{"label": "A", "description": "One"}, {"label": "B"}],
}


@pytest.fixture
async def root(scene: Scene) -> Turn:
    """A root without a workspace."""
    return await scene.turn()


async def test_questions_are_echoed_and_end_the_turn(scene: Scene) -> None:
    turn = await scene.turn(planning=True)
    result = await turn.call("ask_user_question", questions=[QUESTION])
    assert (result.ends_turn, result.is_error) == (True, False)
    options = [{"label": "A", "description": "One"}, {"label": "B", "description": ""}]
    assert result.value == {"questions": [{**QUESTION, "options": options}]}


async def test_questions_that_are_none(scene: Scene) -> None:
    turn = await scene.turn(planning=True)
    assert "questions" in await turn.refused("ask_user_question", questions=[])
    few = {**QUESTION, "options": [{"label": "A"}]}
    assert "questions[0].options" in await turn.refused("ask_user_question", questions=[few])
    many = {**QUESTION, "options": [{"label": str(number)} for number in range(5)]}
    assert "questions[0].options" in await turn.refused("ask_user_question", questions=[many])
    lacking = {"header": "a", "options": QUESTION["options"]}
    refused = await turn.call("ask_user_question", questions=[lacking])
    assert refused.value == "questions[0].question is required"
    assert not refused.ends_turn


async def test_an_agent_is_spawned_and_waited_for(root: Turn) -> None:
    told = await root.done("spawn_agent", type="explore", prompt="Look.", title=" Scout ")
    assert (told["title"], told["status"], told["type"]) == ("Scout", "running", "explore")
    [order] = root.port.orders
    assert (order.prompt, order.type, order.title) == ("Look.", "explore", "Scout")
    chat = UUID(told["chat_id"])
    early = await root.done("wait_agent", chat_id=str(chat), timeout_seconds=1)
    assert (early["timed_out"], early["status"]) == (True, "running")
    root.port.kin[chat] = replace(root.port.kin[chat], status="waiting", report="It is there.")
    late = await root.done("wait_agent", chat_id=str(chat))
    assert late == {
        "chat_id": str(chat),
        "title": "Scout",
        "status": "waiting",
        "type": "explore",
        "report": "It is there.",
    }
    error = {"message": "no money", "kind": "usage_limit"}
    root.port.kin[chat] = replace(root.port.kin[chat], status="error", error=error)
    failed = await root.refused("wait_agent", chat_id=str(chat))
    assert (failed["status"], failed["error"]) == ("error", error)


async def test_what_spawn_refuses(root: Turn) -> None:
    assert await root.refused("spawn_agent") == "prompt is required"
    assert await root.refused("spawn_agent", prompt=" ") == "prompt is required"
    assert "type: 'clever'" in await root.refused("spawn_agent", prompt="a", type="clever")
    assert "not enabled" in await root.refused("spawn_agent", prompt="a", type="computer_use")
    assert "not enabled" in await root.refused("spawn_computer_use_agent", prompt="a")
    assert root.port.orders == []


async def test_older_names_answer(root: Turn) -> None:
    told = await root.done("spawn_explore_agent", prompt="Look.")
    assert told["type"] == "explore"
    stopped = await root.done("interrupt_agent", chat_id=told["chat_id"])
    assert (stopped["status"], stopped["interrupted"]) == ("waiting", True)


async def test_agents_are_told_stopped_and_listed(root: Turn) -> None:
    chats = [(await root.done("spawn_agent", prompt=str(n)))["chat_id"] for n in range(3)]
    told = await root.done("message_agent", chat_id=chats[0], message="More.", interrupt=True)
    assert set(told) == {"chat_id", "title", "status", "interrupted"}
    assert root.port.said == [("More.", True)]
    assert await root.refused("message_agent", chat_id=chats[0], message=" ") == (
        "message is required"
    )
    closed = await root.done("close_agent", chat_id=chats[0])
    assert (closed["status"], closed["terminated"]) == ("waiting", True)
    page = await root.done("list_agents", limit=2)
    assert (page["total"], page["returned"], page["offset"], page["has_more"]) == (3, 2, 0, True)
    assert page["agents"][0]["created_at"] == "2026-01-01T00:00:00Z"
    rest = await root.done("list_agents", limit=2, offset=2)
    assert rest["has_more"] is False
    assert "limit" in await root.refused("list_agents", limit=51)


async def test_strangers_are_refused(root: Turn) -> None:
    for name, more in (
        ("wait_agent", {}),
        ("message_agent", {"message": "a"}),
        ("close_agent", {}),
    ):
        words = await root.refused(name, chat_id=str(uuid4()), **more)
        assert words == "target chat is not a descendant of current chat"


async def test_a_closed_chat_leaves_no_processes(scene: Scene) -> None:
    workspace = await scene.workspace()
    agent = await scene.agent_of(workspace)
    turn = await scene.turn(workspace_id=workspace, agent_id=agent)
    other = await scene.turn(workspace_id=workspace, agent_id=agent)
    for each in (turn, other):
        await each.done("execute", command="exec sleep 1000", run_in_background=True)
    await close_chat(scene.means, turn.link.facts.id, agent)
    assert (await turn.done("process_list"))["processes"] == []
    [left] = (await other.done("process_list"))["processes"]
    assert left["running"] is True
    scene.line.error = UNREACHABLE
    await close_chat(scene.means, other.link.facts.id, agent)
    await close_chat(scene.means, other.link.facts.id, None)
