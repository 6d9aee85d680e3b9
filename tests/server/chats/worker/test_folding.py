"""Histories that are folded, through the real log: what models and people see afterwards."""

from collections.abc import AsyncGenerator
from uuid import UUID

from server.chats.actions import compacting
from server.chats.model import Status
from server.chats.store import messages
from server.kit.db import Database
from server.llm import (
    Finish,
    Finished,
    PartDone,
    Request,
    StreamEvent,
    Text,
    TextDelta,
    ToolChoice,
    Usage,
)
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.world import Heard, World, opened, say

LONG = "long " * 100


async def long_answer(request: Request) -> AsyncGenerator[StreamEvent]:
    """Answer at length, with a context that is nearly full; or write a summary."""
    if request.tool_choice is ToolChoice.NONE:
        async for event in say("s u m"):
            yield event
        return
    folded = any("summarised" in text for text in said(request))
    part = Text("again" if folded else LONG)
    yield TextDelta(0, part.text)
    yield PartDone(0, part)
    yield Finished((part,), Usage(input_tokens=10 if folded else 90_000), Finish.STOP)


def said(request: Request) -> list[str]:
    return [part.text for m in request.messages for part in m.parts if isinstance(part, Text)]


async def view(world: World, chat_id: UUID) -> list[tuple[str, bool]]:
    async with world.database.tx(SYSTEM) as tx:
        rows = await messages.prompt_view(tx, chat_id)
    return [(row.role.value, row.compressed) for row in rows]


async def test_a_full_context_is_folded_and_people_still_see_everything(
    database: Database,
) -> None:
    async with opened(database) as world:
        world.model.script = long_answer
        replica = await world.replica()
        chat_id = await world.chat()
        heard = Heard(replica, chat_id)
        await world.say(chat_id, "first", on=replica)
        await world.until(chat_id, Status.WAITING)

        assert await view(world, chat_id) == [("user", True), ("assistant", False)]
        await world.say(chat_id, "second", on=replica)
        await world.until(chat_id, Status.WAITING)
        sent = said(world.model.requests[-1])
        assert "first" not in sent
        assert "sum" in sent[0]
        assert sent[1:] == ["again", "second"]

        await heard.until(lambda events: len([e for e in events if e["type"] == "message"]) >= 7)
        roles = [event["message"]["role"] for event in heard.of("message")]
        kinds = [event["message"]["content"][0]["type"] for event in heard.of("message")]
        assert roles == ["user", "assistant", "assistant", "tool", "assistant", "user", "assistant"]
        assert kinds[2:4] == ["tool-call", "tool-result"]
        await heard.stop()


async def test_edge_case_19_an_edit_before_the_summary_brings_the_history_back(
    database: Database,
) -> None:
    async with opened(database) as world:
        world.model.script = long_answer
        replica = await world.replica()
        chat_id = await world.chat()
        await world.say(chat_id, "first", on=replica)
        await world.until(chat_id, Status.WAITING)
        async with world.database.tx(SYSTEM) as tx:
            rows = await messages.since(tx, chat_id, 0)
            summary = next(row for row in rows if row.compressed)
            await messages.cut(tx, chat_id, summary.id)
        assert await view(world, chat_id) == [("user", False), ("assistant", False)]


async def test_somebody_asks_for_a_summary(database: Database) -> None:
    async with opened(database) as world:
        replica = await world.replica()
        chat_id = await world.chat()
        world.model.script = lambda request: say(LONG if len(request.messages) == 1 else "s u m")
        await world.say(chat_id, "first", on=replica)
        await world.until(chat_id, Status.WAITING)
        async with world.database.tx(SYSTEM) as tx:
            await compacting.request_compaction(tx, chat_id)
        await world.until(chat_id, Status.WAITING)
        assert await view(world, chat_id) == [("user", True)]
        assert world.model.requests[-1].tool_choice is ToolChoice.NONE
        chat = await world.rows.read(chat_id)
        assert chat.compaction_requested_at is None
        await world.say(chat_id, "go on", on=replica)
        await world.until(chat_id, Status.WAITING)
        assert [role for role, _ in await view(world, chat_id)] == ["user", "user", "assistant"]
