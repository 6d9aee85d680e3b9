"""Lists of chats: what is found, in which order, how many, and who sees it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncCursor
from typing_extensions import override

from server.chats.actions import listing
from server.chats.actions.patching import mark_read
from server.chats.model.search import Part, search
from server.kit.authz import as_system
from server.kit.db import jsonb
from server.llm import Role
from tests.server.chats.bureau import Bureau
from tests.support.people import Person


async def status_row(bureau: Bureau, chat: UUID, **columns: Any) -> None:
    """Write what is known of a chat's pull request."""
    await bureau.run(
        """
        INSERT INTO chat_diff_statuses (chat_id, created_at, updated_at)
        VALUES (%(chat)s, now(), now())
        """,
        chat=chat,
    )
    for column, value in columns.items():
        await bureau.run(
            f"UPDATE chat_diff_statuses SET {column} = %(value)s WHERE chat_id = %(chat)s",
            value=value,
            chat=chat,
        )


async def test_newest_first_and_pinned_before(bureau: Bureau) -> None:
    old, middle, new = [await bureau.chat(bureau.ann, age=age) for age in (30, 20, 10)]
    assert await bureau.listed(bureau.ann) == [new, middle, old]
    answer = await bureau.ann.api.patch(f"/chats/{old}", json={"pin_order": 1})
    assert answer.status_code == 204
    assert await bureau.listed(bureau.ann) == [old, new, middle]


async def test_edge_case_23_a_page_is_full_where_rights_hide_rows(bureau: Bureau) -> None:
    elsewhere = await bureau.people.organization("elsewhere")
    seen = [await bureau.chat(bureau.ann, age=2 * n) for n in range(30)]
    # Ann left that organization: these are hers, newer, and hidden.
    for n in range(30):
        await bureau.chat(bureau.ann, age=2 * n - 1, organization_id=elsewhere)
    assert await bureau.listed(bureau.ann, limit=25) == seen[:25]
    assert await bureau.listed(bureau.ann, limit=25, after_id=str(seen[24])) == seen[25:]


async def test_the_cursor_walks_through_all_without_gap_or_repetition(bureau: Bureau) -> None:
    made = {await bureau.chat(bureau.ann, age=n // 3) for n in range(20)}
    pinned = list(made)[:3]
    for chat in pinned:
        await bureau.ann.api.patch(f"/chats/{chat}", json={"pin_order": 1})
    walked: list[UUID] = []
    while page := await bureau.listed(
        bureau.ann, limit=6, **({"after_id": str(walked[-1])} if walked else {})
    ):
        walked += page
    assert walked[:3] == pinned
    assert len(walked) == 20
    assert set(walked) == made


async def test_limit_and_offset(bureau: Bureau) -> None:
    made = [await bureau.chat(bureau.ann, age=n) for n in range(5)]
    assert await bureau.listed(bureau.ann, limit=2, offset=1) == made[1:3]
    assert len(await bureau.listed(bureau.ann)) == 5


async def test_a_cursor_that_is_hidden_or_missing_ends_the_list(bureau: Bureau) -> None:
    await bureau.chat(bureau.ann)
    theirs = await bureau.chat(bureau.root)
    assert await bureau.listed(bureau.ann, after_id=str(theirs)) == []
    assert await bureau.listed(bureau.ann, after_id=str(uuid4())) == []


async def test_only_ones_own_even_for_owners(bureau: Bureau) -> None:
    mine, theirs = await bureau.chat(bureau.root), await bureau.chat(bureau.ann)
    assert await bureau.listed(bureau.root) == [mine]
    assert await bureau.listed(bureau.ann) == [theirs]
    assert await bureau.listed(bureau.ann, q="source:created_by_me") == [theirs]
    assert await bureau.listed(bureau.ann, q="source:shared_with_me") == []


async def test_roots_have_their_children_nested(bureau: Bureau) -> None:
    root = await bureau.chat(bureau.ann)
    child = await bureau.chat(bureau.ann, parent_chat_id=root, root_chat_id=root, title="Below")
    await status_row(bureau, child, git_branch="b", url="https://github.com/a/b/pull/1")
    [listed] = await bureau.list(bureau.ann)
    assert listed["id"] == str(root)
    [nested] = listed["children"]
    assert nested["id"] == str(child)
    assert nested["children"] == []
    assert nested["diff_status"]["url"] == "https://github.com/a/b/pull/1"


async def test_extra_label_filter_and(bureau: Bureau) -> None:
    both = await bureau.chat(bureau.ann, labels={"team": "a", "env": "ci"})
    await bureau.chat(bureau.ann, labels={"team": "a"})
    await bureau.chat(bureau.ann, labels={"team": "b", "env": "ci"})
    assert await bureau.listed(bureau.ann, label=["team:a", "env:ci"]) == [both]
    assert len(await bureau.listed(bureau.ann, label="team:a")) == 2
    assert await bureau.listed(bureau.ann, label=["team:a", "team:b"]) == []


@pytest.mark.parametrize("label", ["team", ":a", "team:", " : ", "a:\x00"])
async def test_a_label_filter_needs_both_halves(bureau: Bureau, label: str) -> None:
    answer = await bureau.ann.api.get("/chats", params={"label": label})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid label filter")


async def test_titles_are_found_in_their_middle_whatever_the_case(bureau: Bureau) -> None:
    found = await bureau.chat(bureau.ann, title="Fix the FAILING test")
    await bureau.chat(bureau.ann, title="100% sure")
    assert await bureau.listed(bureau.ann, q="title:failing") == [found]
    assert await bureau.listed(bureau.ann, q='title:"the failing"') == [found]
    assert await bureau.listed(bureau.ann, q="title:%") != [found]


@pytest.mark.parametrize(
    "q", ["bare words", "nothing:here", "status:tired", "archived:perhaps", "pr:abc", "source:x"]
)
async def test_a_search_that_makes_no_sense(bureau: Bureau, q: str) -> None:
    answer = await bureau.ann.api.get("/chats", params={"q": q})
    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid search query."


async def test_statuses_of_both_eras(bureau: Bureau) -> None:
    waiting = await bureau.chat(bureau.ann, age=3)
    pending = await bureau.chat(bureau.ann, age=2, columns={"status": "running"})
    runner = uuid4()
    running = await bureau.chat(bureau.ann, age=1, columns={"status": "running"})
    await bureau.run(
        "UPDATE chats SET worker_id = %(r)s, runner_id = %(r)s WHERE id = %(id)s",
        r=runner,
        id=running,
    )
    assert await bureau.listed(bureau.ann, q="status:waiting") == [waiting]
    assert await bureau.listed(bureau.ann, q="status:pending") == [pending]
    assert await bureau.listed(bureau.ann, q="status:running") == [running, pending]
    assert await bureau.listed(bureau.ann, q="status:waiting,pending") == [pending, waiting]
    assert await bureau.listed(bureau.ann, q="status:completed") == []
    shown = {one["id"]: one["status"] for one in await bureau.list(bureau.ann)}
    assert shown == {
        str(waiting): "waiting",
        str(pending): "pending",
        str(running): "running",
    }


async def test_archived_ones_only_when_asked_for(bureau: Bureau) -> None:
    kept = await bureau.chat(bureau.ann)
    away = await bureau.chat(bureau.ann, columns={"archived": True})
    assert await bureau.listed(bureau.ann) == [kept]
    assert await bureau.listed(bureau.ann, q="archived:true") == [away]
    assert await bureau.listed(bureau.ann, q="archived:false") == [kept]


async def test_unread(bureau: Bureau) -> None:
    read, unread = await bureau.chat(bureau.ann, age=2), await bureau.chat(bureau.ann, age=1)
    for chat in (read, unread):
        await bureau.say(chat, Role.USER, "do it")
        await bureau.say(chat, Role.ASSISTANT, "done")
    async with bureau.database.tx(as_system("test")) as tx:
        await mark_read(tx, read)
    assert await bureau.listed(bureau.ann, q="has_unread:true") == [unread]
    assert await bureau.listed(bureau.ann, q="has_unread:false") == [read]
    assert {one["id"]: one["has_unread"] for one in await bureau.list(bureau.ann)} == {
        str(read): False,
        str(unread): True,
    }


async def test_extra_the_unread_cursor_of_two_tabs_never_goes_back(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    await bureau.say(chat, Role.ASSISTANT, "one")
    last = await bureau.say(chat, Role.ASSISTANT, "two")
    for _ in range(2):
        async with bureau.database.tx(as_system("test")) as tx:
            await mark_read(tx, chat)
    cursor = "SELECT last_read_message_id FROM chats WHERE id = %(id)s"
    assert await bureau.value(cursor, id=chat) == last
    # What was read is deleted by an edit: the cursor stays where it is.
    await bureau.run("UPDATE chat_messages SET deleted = true WHERE id = %(id)s", id=last)
    async with bureau.database.tx(as_system("test")) as tx:
        await mark_read(tx, chat)
    assert await bureau.value(cursor, id=chat) == last


async def test_pull_requests(bureau: Bureau) -> None:
    made = {
        name: await bureau.chat(bureau.ann, age=age)
        for age, name in enumerate(("none", "open", "draft", "merged"))
    }
    for number, name in enumerate(("open", "draft", "merged"), start=7):
        await status_row(
            bureau,
            made[name],
            url=f"https://github.com/Acme/{name}/pull/{number}",
            pull_request_state="merged" if name == "merged" else "open",
            pull_request_draft=name == "draft",
            pull_request_title=f"The {name} one",
            pr_number=number,
            git_remote_origin=f"git@github.com:Acme/{name}.git",
        )
    for name, chat in made.items():
        assert await bureau.listed(bureau.ann, q=f"pr_status:{name}") == [chat]
    assert await bureau.listed(bureau.ann, q="pr:8") == [made["draft"]]
    assert await bureau.listed(bureau.ann, q="repo:acme/merged") == [made["merged"]]
    assert await bureau.listed(bureau.ann, q='pr_title:"the open"') == [made["open"]]
    url = 'diff_url:"https://github.com/acme/open/pull/7"'
    assert await bureau.listed(bureau.ann, q=url) == [made["open"]]
    assert await bureau.listed(bureau.ann, q="pr_status:open,draft") == [
        made["open"],
        made["draft"],
    ]


async def workspace(bureau: Bureau, who: Person) -> UUID:
    """Write a workspace of a person's."""
    made, template = uuid4(), uuid4()
    await bureau.run(
        """
        INSERT INTO templates (id, organization_id, name, active_version_id, created_by,
                               created_at, updated_at)
        VALUES (%(t)s, %(o)s, %(t)s::text, %(t)s, %(by)s, now(), now())
        """,
        t=template,
        o=bureau.organization,
        by=who.id,
    )
    await bureau.run(
        """
        INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, last_used_at,
                                created_at, updated_at)
        VALUES (%(w)s, %(by)s, %(o)s, %(t)s, %(w)s::text, now(), now(), now())
        """,
        w=made,
        t=template,
        o=bureau.organization,
        by=who.id,
    )
    return made


async def test_the_newest_chat_of_each_workspace(bureau: Bureau) -> None:
    one, other = await workspace(bureau, bureau.ann), await workspace(bureau, bureau.ann)
    await bureau.chat(bureau.ann, age=9, workspace_id=one)
    newest = await bureau.chat(bureau.ann, age=1, workspace_id=one)
    await bureau.chat(bureau.ann, workspace_id=one, columns={"archived": True})
    answer = await bureau.ann.api.get(
        "/chats/by-workspace", params={"workspace_ids": f"{one},{other}"}
    )
    assert {key: value["id"] for key, value in answer.json().items()} == {str(one): str(newest)}


async def test_by_workspace_is_bounded(bureau: Bureau) -> None:
    many = ",".join(str(uuid4()) for _ in range(26))
    for ids, status in ((many, 400), (many[37:], 200), ("x", 400), ("", 200)):
        answer = await bureau.ann.api.get("/chats/by-workspace", params={"workspace_ids": ids})
        assert answer.status_code == status


async def test_prompts_are_ones_own_words_newest_first(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    await bureau.say(chat, Role.USER, "first", created_by=bureau.ann.id)
    await bureau.say(chat, Role.ASSISTANT, "answer")
    await bureau.say(chat, Role.USER, "hidden", created_by=bureau.ann.id, visibility="model")
    await bureau.say(chat, Role.USER, "second", created_by=bureau.ann.id)
    answer = await bureau.ann.api.get(f"/chats/{chat}/prompts")
    assert [one["text"] for one in answer.json()["prompts"]] == ["second", "first"]
    answer = await bureau.ann.api.get(f"/chats/{chat}/prompts", params={"limit": 1})
    assert [one["text"] for one in answer.json()["prompts"]] == ["second"]
    for limit in (0, 2001):
        answer = await bureau.ann.api.get(f"/chats/{chat}/prompts", params={"limit": limit})
        assert answer.status_code == 400
    bob = await bureau.people.add("bob")
    assert (await bob.api.get(f"/chats/{chat}/prompts")).status_code == 404


async def test_a_list_takes_as_many_statements_however_long_it_is(bureau: Bureau) -> None:
    counted: list[int] = []
    for chats in (1, 20):
        for _ in range(chats):
            root = await bureau.chat(bureau.ann)
            await bureau.chat(bureau.ann, parent_chat_id=root, root_chat_id=root)
        async with bureau.database.tx(await bureau.people.actor(bureau.ann)) as tx:
            Counting.sent = 0
            tx.conn.cursor_factory = Counting
            found = await listing.search(tx, search("", ()), Part())
            tx.conn.cursor_factory = AsyncCursor
        counted.append(Counting.sent)
    assert len(found) == 21
    assert counted == [3, 3]


class Counting(AsyncCursor[Any]):
    """Counts what is sent."""

    sent = 0

    @override
    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        Counting.sent += 1
        return await super().execute(*args, **kwargs)


async def test_wire_shape(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann, labels={"a": "b"}, columns={"last_error": jsonb(
        {"message": "no", "kind": "auth", "retryable": False})})  # fmt: skip
    [listed] = await bureau.list(bureau.ann)
    assert listed["id"] == str(chat)
    assert listed["labels"] == {"a": "b"}
    assert listed["mcp_server_ids"] == []
    assert listed["children"] == []
    assert listed["last_error"] == {"message": "no", "kind": "auth", "retryable": False}
    assert listed["owner_username"] == "ann"
    assert "files" not in listed
