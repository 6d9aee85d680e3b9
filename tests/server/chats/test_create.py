"""Make a chat: every refusal in the order of the reference, and what is written."""

import json
import math
from typing import Any
from uuid import uuid4

import pytest

from server.chats.model import State
from server.chats.store import messages
from server.llm import Role, Text, decode
from tests.server.chats.world import SYSTEM, World, words


async def test_a_chat_begins_with_its_prompts_and_waits_for_a_worker(world: World) -> None:
    made = await world.post(
        "/chats",
        world.order(
            "please fix the failing test of the parser",
            labels={"repo": "coder"},
            plan_mode="plan",
            client_type="ui",
            system_prompt="be brief",
            unsafe_dynamic_tools=[{"name": "ask", "description": "d", "input_schema": {}}],
        ),
        status=201,
    )
    chat = made.json()
    assert chat["status"] == "pending"  # no worker has it yet
    assert chat["title"] == "please fix the failing test of…"
    assert (chat["labels"], chat["plan_mode"]) == ({"repo": "coder"}, "plan")
    assert (chat["client_type"], chat["owner_username"]) == ("ui", "ann")
    assert chat["last_model_config_id"] == str(world.model)
    assert chat["children"] == []
    assert "warnings" not in chat
    row = await world.read(chat["id"])
    assert row.state is State.R0
    assert row.dynamic_tools == [{"name": "ask", "description": "d", "input_schema": {}}]
    assert await world.log(row.id) == ["user: please fix the failing test of the parser"]
    async with world.database.tx(SYSTEM) as tx:
        view = await messages.prompt_view(tx, row.id)
    roles = [message.role for message in view]
    assert roles == [Role.SYSTEM, Role.SYSTEM, Role.SYSTEM, Role.USER]
    assert decode(view[1].content, 1) == (Text("be brief"),)
    assert {message.visibility for message in view[:3]} == {"model"}


async def test_a_member_of_nothing_is_refused_first(world: World) -> None:
    elsewhere = await world.people.organization("elsewhere")
    order: dict[str, Any] = {"content": []}
    missing = await world.post("/chats", order, status=400)
    assert missing.json()["message"] == "organization_id is required."
    order["organization_id"] = str(elsewhere)
    refused = await world.post("/chats", order, status=403)
    assert refused.json()["message"] == "You are not a member of the specified organization."


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ([{"type": "text", "text": "ok"}, {"type": "text", "text": " "}], "content[1].text"),
        ([{"type": "file"}], "content[0].file_id is required."),
        ([{"type": "file", "file_id": str(uuid4())}], "does not exist."),
        ([{"type": "file-reference", "file_name": ""}], "content[0].file_name cannot be empty."),
        ([{"type": "reasoning", "text": "x"}], 'content[0].type "reasoning" is not supported'),
        ([{"text": "x"}], 'content[0].type "" is not supported'),
    ],
)
async def test_a_part_that_cannot_be_taken_is_named(
    world: World, content: list[dict[str, Any]], detail: str
) -> None:
    order = {"organization_id": str(world.organization), "content": content}
    refused = await world.post("/chats", order, status=400)
    assert refused.json()["message"] == "Invalid input part."
    assert detail in refused.json()["detail"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"content": []}, "Content is required."),
        ({"system_prompt": "x" * 10_001}, "System prompt exceeds maximum length."),
        (
            {"workspace_id": str(uuid4())},
            "Workspace not found or you do not have access to this resource",
        ),
        ({"model_config_id": str(uuid4())}, "Invalid model config ID."),
        ({"mcp_server_ids": [str(uuid4())]}, "One or more MCP server IDs are invalid."),
        ({"labels": {str(n): "x" for n in range(51)}}, "Invalid labels."),
        (
            {"unsafe_dynamic_tools": [{"name": str(n)} for n in range(251)]},
            "Too many dynamic tools.",
        ),
        ({"unsafe_dynamic_tools": [{"name": " "}]}, "Dynamic tool name must not be empty."),
        (
            {"unsafe_dynamic_tools": [{"name": "a"}, {"name": "a"}]},
            "Duplicate dynamic tool name.",
        ),
        ({"reasoning_effort": "huge"}, "Invalid reasoning effort."),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_made(
    world: World, change: dict[str, Any], message: str
) -> None:
    refused = await world.post("/chats", {**world.order(), **change}, status=400)
    assert refused.json()["message"] == message
    assert await world.sql("SELECT count(*) FROM chats") == 0


async def test_of_several_mistakes_the_first_of_the_list_is_told(world: World) -> None:
    order: dict[str, Any] = {
        "organization_id": str(world.organization),
        "content": [{"type": "text", "text": ""}],
        "system_prompt": "x" * 10_001,
        "workspace_id": str(uuid4()),
        "model_config_id": str(uuid4()),
        "mcp_server_ids": [str(uuid4())],
        "labels": {"": ""},
        "unsafe_dynamic_tools": [{"name": ""}],
    }
    mended: list[tuple[str, Any]] = [
        ("content", words("ok")),
        ("system_prompt", ""),
        ("workspace_id", None),
        ("model_config_id", None),
        ("mcp_server_ids", None),
        ("labels", {}),
        ("unsafe_dynamic_tools", []),
    ]
    heard: list[str] = []
    for field, value in mended:
        heard.append((await world.post("/chats", order, status=400)).json()["message"])
        order[field] = value
    assert heard == [
        "Invalid input part.",
        "System prompt exceeds maximum length.",
        "Workspace not found or you do not have access to this resource",
        "Invalid model config ID.",
        "One or more MCP server IDs are invalid.",
        "Invalid labels.",
        "Dynamic tool name must not be empty.",
    ]
    await world.post("/chats", order, status=201)


async def test_without_any_model_nothing_can_be_made(world: World) -> None:
    await world.sql("UPDATE chat_model_configs SET enabled = false")
    refused = await world.post("/chats", world.order(), status=400)
    assert refused.json()["message"] == "No default chat model config is configured."


async def test_a_body_that_no_message_needs_is_refused(world: World) -> None:
    refused = await world.post("/chats", world.order("x" * 256 * 1024), status=413)
    assert refused.json()["message"] == "Request body too large."


async def test_an_uploaded_file_becomes_a_part_and_is_linked(world: World) -> None:
    uploaded = await world.ann.api.post(
        f"/chats/files?organization={world.organization}",
        content=b"some words",
        headers={
            "Content-Type": "text/plain",
            "Content-Disposition": 'attachment; filename="notes.txt"',
        },
    )
    file_id = uploaded.json()["id"]
    content = [{"type": "file", "file_id": file_id}]
    made = await world.post("/chats", {**world.order(), "content": content}, status=201)
    chat = await world.get(f"/chats/{made.json()['id']}")
    assert [file["id"] for file in chat["files"]] == [file_id]
    assert chat["title"] == "New Chat"
    (message,) = (await world.get(f"/chats/{chat['id']}/messages"))["messages"]
    assert message["content"] == [
        {"type": "file", "media_type": "text/plain", "file_id": file_id, "name": "notes.txt"}
    ]


async def test_a_file_of_somebody_else_does_not_exist(world: World) -> None:
    uploaded = await world.owner.api.post(
        f"/chats/files?organization={world.organization}",
        content=b"secret",
        headers={"Content-Type": "text/plain"},
    )
    content = [{"type": "file", "file_id": uploaded.json()["id"]}]
    refused = await world.post("/chats", {**world.order(), "content": content}, status=400)
    assert "does not exist" in refused.json()["detail"]


async def test_text_with_nul_comes_back_to_the_bit(world: World) -> None:
    """Edge case 14, what people send."""
    chat = await world.chat("a\0b \ue000 c\ue001")
    (message,) = (await world.get(f"/chats/{chat}/messages"))["messages"]
    assert message["content"] == words("a\0b \ue000 c\ue001")


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", math.nan])
async def test_a_clients_tool_that_cannot_be_kept_is_refused(world: World, bad: object) -> None:
    tool = {"name": "ask", "input_schema": {"default": bad}}
    body = json.dumps(world.order("hi", unsafe_dynamic_tools=[tool]))
    assert (await world.ann.api.post("/chats", content=body)).status_code == 400


async def test_a_hidden_chat_and_none_look_alike(world: World) -> None:
    chat = await world.chat()
    bob = await world.people.add("bob")
    answers = [await bob.api.get(f"/chats/{id_}") for id_ in (chat, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    for path in ("interrupt", "archive", "compact", "clear", "reconcile-invalid"):
        assert (await bob.api.post(f"/chats/{chat}/{path}")).status_code == 404
    sent = await bob.api.post(f"/chats/{chat}/messages", json={"content": words("x")})
    assert sent.status_code == 404
