"""The log and the queue as rows."""

from uuid import UUID, uuid4

from server.chats.model import Message, MessagePage, NewMessage, State
from server.chats.store import chats, messages, queue
from server.kit.db import Database, Tx
from server.llm import Role, Usage
from tests.server.chats.rows import SYSTEM, Rows, text


async def test_insert_chat_messages_is_one_batch_in_order_and_advances_the_chat(
    database: Database,
) -> None:
    rows = await Rows.begin(database)
    chat_id = await rows.chat()
    async with database.tx(SYSTEM) as tx:
        ids = await messages.append(
            tx,
            chat_id,
            [
                text(Role.SYSTEM, "be kind", visibility="model"),
                text(Role.USER, "hello", model_config_id=rows.model),
                text(Role.ASSISTANT, "hi", model_config_id=rows.other_model),
                text(Role.TOOL, "done"),
            ],
        )
        chat = await chats.lock(tx, chat_id)
        stored = await messages.prompt_view(tx, chat_id)
    assert chat is not None
    assert chat.state is State.R0
    assert ids == sorted(ids) == [message.id for message in stored]
    assert [message.role for message in stored] == [*Role]
    assert chat.last_model_config_id == rows.other_model
    assert (chat.history_version, chat.snapshot_version) == (2, 2)
    assert {message.revision for message in stored} == {2}
    assert [message.model for message in stored] == ["", "one", "two", ""]


async def test_insert_chat_messages_takes_no_id_and_no_number_as_null(database: Database) -> None:
    rows = await Rows.begin(database)
    chat_id = await rows.chat()
    usage = Usage(input_tokens=0, output_tokens=7)
    row = text(Role.ASSISTANT, "x", usage=usage, cost_micros=0, created_by=UUID(int=0))
    async with database.tx(SYSTEM) as tx:
        (stored,) = await _stored(tx, chat_id, row)
    assert (stored.input_tokens, stored.output_tokens) == (None, 7)
    assert (stored.created_by, stored.model_config_id, stored.runtime_ms) == (None, None, None)
    assert stored.total_cost_micros == 0  # priced, and free: not the same as unpriced
    assert stored.usage == Usage(output_tokens=7)


async def test_the_queue_is_first_in_first_out_and_falls_back_to_a_model_that_is_on(
    database: Database,
) -> None:
    rows = await Rows.begin(database)
    chat_id = await rows.chat()
    async with database.tx(SYSTEM) as tx:
        first = await queue.push(
            tx, chat_id, text(Role.USER, "1", model_config_id=rows.other_model)
        )
        second = await queue.push(tx, chat_id, text(Role.USER, "2"))
        third = await queue.push(tx, chat_id, text(Role.USER, "3"))
        assert await queue.to_head(tx, chat_id, third.id)
        listed = await queue.listed(tx, chat_id)
        assert [queued.id for queued in listed] == [third.id, first.id, second.id]
        await tx.run(
            "UPDATE chat_model_configs SET enabled = false WHERE id = %(id)s",
            {"id": rows.other_model},
        )
        assert len(await queue.send(tx, chat_id)) == 1
        assert len(await queue.send(tx, chat_id)) == 1
        assert len(await queue.send(tx, chat_id, second.id)) == 1
        assert await queue.send(tx, chat_id) == []
        log = await messages.prompt_view(tx, chat_id)
    assert [message.content[0]["text"] for message in log] == ["3", "1", "2"]
    assert {message.model_config_id for message in log} == {rows.model}


async def test_pages_go_both_ways_and_say_whether_there_is_more(database: Database) -> None:
    rows = await Rows.begin(database)
    chat_id = await rows.chat()
    async with database.tx(SYSTEM) as tx:
        ids = await messages.append(tx, chat_id, [text(Role.USER, str(n)) for n in range(5)])
        newest, more = await messages.page(tx, chat_id, MessagePage(limit=2))
        assert ([message.id for message in newest], more) == (ids[:2:-1], True)
        older, more = await messages.page(tx, chat_id, MessagePage(limit=3, before_id=ids[3]))
        assert ([message.id for message in older], more) == (ids[2::-1], False)
        later, more = await messages.page(tx, chat_id, MessagePage(limit=2, after_id=ids[0]))
        assert ([message.id for message in later], more) == (ids[1:3], True)
        between = MessagePage(limit=50, after_id=ids[0], before_id=ids[4])
        inner, more = await messages.page(tx, chat_id, between)
        assert ([message.id for message in inner], more) == (ids[3:0:-1], False)
        assert await messages.cut(tx, chat_id, ids[2]) == ids[2:]
        rest, _ = await messages.page(tx, chat_id, MessagePage())
        assert [message.id for message in rest] == ids[1::-1]


async def test_the_prompt_begins_at_the_newest_summary(database: Database) -> None:
    rows = await Rows.begin(database)
    chat_id = await rows.chat()
    async with database.tx(SYSTEM) as tx:
        await messages.append(
            tx,
            chat_id,
            [
                text(Role.SYSTEM, "rules", visibility="model"),
                text(Role.USER, "old"),
                text(Role.USER, "summary", visibility="model", compressed=True),
                text(Role.ASSISTANT, "call", visibility="user", compressed=True),
                text(Role.TOOL, "result", compressed=True),
            ],
        )
        (late,) = await messages.append(tx, chat_id, [text(Role.USER, "new")])
        view = await messages.prompt_view(tx, chat_id)
        assert [m.content[0]["text"] for m in view] == ["rules", "summary", "new"]
        # What was summed up counts again once an edit cuts the summary off.
        await messages.cut(tx, chat_id, view[1].id)
        view = await messages.prompt_view(tx, chat_id)
        assert [m.content[0]["text"] for m in view] == ["rules", "old"]
    assert late


async def test_a_chat_is_hidden_from_others(database: Database) -> None:
    rows = await Rows.begin(database)
    chat_id = await rows.chat()
    async with database.tx(rows.actor(uuid4())) as tx:
        assert await chats.by_id(tx, chat_id) is None
        assert await chats.lock(tx, chat_id) is None
    async with database.tx(rows.actor(rows.owner)) as tx:
        assert await chats.by_id(tx, chat_id) is not None


async def _stored(tx: Tx, chat_id: UUID, *rows: NewMessage) -> list[Message]:
    return await messages.by_ids(tx, chat_id, await messages.append(tx, chat_id, rows))
