"""Whatever a model or its provider sends, a turn ends in a state that somebody can act on."""

from collections.abc import AsyncGenerator

from server.chats.convert import log
from server.chats.model import Status
from server.chats.store import messages
from server.kit.db import Database
from server.llm import (
    ErrorKind,
    Finish,
    Finished,
    ModelError,
    Part,
    PartDone,
    Request,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.world import Heard, World, opened

HALF = "\ud83d"


async def _shown(world: World, chat_id: object) -> str:
    """Return the log as it is served."""
    async with world.database.tx(SYSTEM) as tx:
        rows = await messages.since(tx, chat_id, 0)  # pyright: ignore[reportArgumentType]
    return log.page(rows, [], more=False).model_dump_json()


async def test_words_of_a_provider_that_no_column_takes_end_the_turn_once(
    database: Database,
) -> None:
    async def refuse(request: Request) -> AsyncGenerator[StreamEvent]:
        raise ModelError(ErrorKind.AUTH, "No.", detail=f"null \0 and {HALF}", provider="list")
        yield

    async with opened(database) as world:
        world.model.script = refuse
        await world.replica()
        chat_id = await world.chat("hello")
        chat = await world.until(chat_id, Status.ERROR)
        assert chat.last_error is not None
        assert chat.last_error["detail"] == "null \ufffd and \ufffd"
        assert len(world.model.requests) == 1


async def test_half_a_character_is_told_and_stored_as_a_mark(database: Database) -> None:
    async def stutter(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, f"a{HALF}")
        part = Text(f"a{HALF}")
        yield PartDone(0, part)
        yield Finished((part,), Usage(), Finish.STOP)

    async with opened(database) as world:
        world.model.script = stutter
        replica = await world.replica()
        chat_id = await world.chat()
        heard = Heard(replica, chat_id)
        await world.say(chat_id, "hello", on=replica)
        await heard.until(lambda events: len([e for e in events if e["type"] == "message"]) == 2)
        assert (await world.until(chat_id, Status.WAITING)).last_error is None
        assert heard.of("message_part")[0]["message_part"]["part"]["text"] == "a\ufffd"
        assert await world.texts(chat_id) == [("user", "hello"), ("assistant", "a\ufffd")]
        await heard.stop()


async def test_arguments_that_no_client_could_read_leave_a_chat_that_can_be_read(
    database: Database,
) -> None:
    hostile = ("[" * 100_000, "[" * 300 + "]" * 300, '{"a": "\\ud800"}', '{"a": NaN, "b": 1e999}')

    async def call(request: Request) -> AsyncGenerator[StreamEvent]:
        if any(message.role == "tool" for message in request.messages):
            done: Part = Text("done")
            yield PartDone(0, done)
            yield Finished((done,), Usage(), Finish.STOP)
            return
        calls = [ToolCall(f"c{place}", "nothing", args) for place, args in enumerate(hostile)]
        for place, one in enumerate(calls):
            yield ToolCallDelta(place, one.id, one.name, one.args)
            yield PartDone(place, one)
        yield Finished(tuple(calls), Usage(), Finish.TOOL_CALLS)

    async with opened(database) as world:
        world.model.script = call
        await world.replica()
        chat_id = await world.chat("hello")
        assert (await world.until(chat_id, Status.WAITING, Status.ERROR)).last_error is None
        shown = await _shown(world, chat_id)
        assert "done" in shown
        assert '"args":{"a":"\ufffd"}' in shown
