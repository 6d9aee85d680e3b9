"""Old chats: put away, deleted, and who is safe from it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chats.actions import keeping
from server.llm import Role
from tests.server.chats.bureau import Bureau

DAY = 86_400


async def rule(bureau: Bureau, name: str, days: int) -> None:
    answer = await bureau.root.api.put(
        f"/chats/config/{name}-days", json={f"{name.replace('-', '_')}_days": days}
    )
    assert answer.status_code == 204, answer.text


async def quiet(bureau: Bureau, days: int, **rest: Any) -> UUID:
    """Return a chat whose last word was said so many days ago."""
    chat = await bureau.chat(bureau.ann, age=days * DAY, **rest)
    said = await bureau.say(chat, Role.USER, "hello")
    await bureau.run(
        "UPDATE chat_messages SET created_at = now() - %(age)s WHERE id = %(id)s",
        age=timedelta(days=days),
        id=said,
    )
    return chat


async def archived(bureau: Bureau, chat: UUID) -> bool | None:
    return await bureau.value("SELECT archived FROM chats WHERE id = %(id)s", id=chat)


async def test_nothing_is_put_away_unless_somebody_says_so(bureau: Bureau) -> None:
    chat = await quiet(bureau, 3000)
    await keeping.keep(bureau.database)
    assert await archived(bureau, chat) is False


async def test_idle_chats_are_put_away_with_their_families(bureau: Bureau) -> None:
    await rule(bureau, "auto-archive", 30)
    old, young = await quiet(bureau, 31), await quiet(bureau, 29)
    child = await quiet(bureau, 31, parent_chat_id=old, root_chat_id=old)
    # It began long ago; what counts is the last word.
    spoken = await quiet(bureau, 100)
    await bureau.say(spoken, Role.ASSISTANT, "today")
    by_child = await quiet(bureau, 100)
    below = await quiet(bureau, 99, parent_chat_id=by_child, root_chat_id=by_child)
    await bureau.say(below, Role.ASSISTANT, "today")
    await keeping.keep(bureau.database)
    found = {chat: await archived(bureau, chat) for chat in (old, child, young, spoken, by_child)}
    assert found == {old: True, child: True, young: False, spoken: False, by_child: False}
    # The clock of deletion begins anew.
    at = await bureau.value("SELECT now() - updated_at FROM chats WHERE id = %(id)s", id=old)
    assert at < timedelta(minutes=5)


@pytest.mark.parametrize("status", ["running", "interrupting", "requires_action"])
async def test_who_works_is_not_put_away(bureau: Bureau, status: str) -> None:
    await rule(bureau, "auto-archive", 30)
    busy, parent = await quiet(bureau, 31), await quiet(bureau, 31)
    child = await quiet(bureau, 31, parent_chat_id=parent, root_chat_id=parent)
    deadline = "now()" if status == "requires_action" else "NULL"
    for chat in (busy, child):
        await bureau.run(
            "UPDATE chats SET status = %(status)s, requires_action_deadline_at = "
            f"{deadline} WHERE id = %(id)s",
            status=status,
            id=chat,
        )
    await keeping.keep(bureau.database)
    assert [await archived(bureau, chat) for chat in (busy, parent, child)] == [False] * 3


async def test_pinned_chats_stay(bureau: Bureau) -> None:
    await rule(bureau, "auto-archive", 30)
    pinned = await quiet(bureau, 31)
    await bureau.ann.api.patch(f"/chats/{pinned}", json={"pin_order": 1})
    await keeping.keep(bureau.database)
    assert await archived(bureau, pinned) is False


async def test_archived_chats_are_deleted_after_thirty_days_with_all_that_is_theirs(
    bureau: Bureau,
) -> None:
    old = await quiet(bureau, 31, columns={"archived": True})
    await quiet(bureau, 31, parent_chat_id=old, root_chat_id=old, columns={"archived": True})
    young = await quiet(bureau, 29, columns={"archived": True})
    active = await quiet(bureau, 3000)
    await bureau.run(
        """
        INSERT INTO chat_diff_statuses (chat_id, created_at, updated_at)
        VALUES (%(id)s, now(), now())
        """,
        id=old,
    )
    await keeping.keep(bureau.database)
    assert set(await rows(bureau, "SELECT id FROM chats")) == {young, active}
    assert set(await rows(bureau, "SELECT DISTINCT chat_id FROM chat_messages")) == {young, active}


async def test_nothing_is_deleted_where_the_days_are_none(bureau: Bureau) -> None:
    await rule(bureau, "retention", 0)
    chat = await quiet(bureau, 3000, columns={"archived": True})
    await keeping.keep(bureau.database)
    assert await archived(bureau, chat) is True


async def test_files_go_with_the_last_chat_that_used_them(bureau: Bureau) -> None:
    gone = await quiet(bureau, 31, columns={"archived": True})
    kept = await quiet(bureau, 1)
    files = {chats: uuid4() for chats in ((gone,), (gone, kept))}
    for chats, file in files.items():
        await bureau.run(
            """
            INSERT INTO chat_files (id, owner_id, organization_id, name, mimetype, data,
                                    size_bytes, created_at)
            VALUES (%(id)s, %(by)s, %(o)s, 'a', 'text/plain', 'x', 1, now() - interval '40 days')
            """,
            id=file,
            by=bureau.ann.id,
            o=bureau.organization,
        )
        for chat in chats:
            await bureau.run("INSERT INTO chat_file_links VALUES (%(c)s, %(f)s)", c=chat, f=file)
    await keeping.keep(bureau.database)
    assert await rows(bureau, "SELECT id FROM chat_files") == [files[gone, kept]]


async def rows(bureau: Bureau, sql: str) -> list[Any]:
    async with bureau.database.tx(await bureau.people.actor(bureau.root)) as tx:
        return await tx.values(sql)  # pyright: ignore[reportArgumentType]
