"""What people change about chats besides talking to them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from typing_extensions import override

from server.chats.actions import patching
from server.chats.actions.archiving import archive
from server.chats.actions.patching import Patch
from server.chats.events import ChatChanged, owner_topic
from server.chats.model import Chat
from server.chats.store import chats
from server.kit.authz import as_system
from server.kit.db import Tx
from server.kit.facts import Fact
from tests.server.chats.bureau import Bureau
from tests.server.chats.rows import SYSTEM
from tests.server.chats.test_list import workspace
from tests.support.people import Person


async def patch(who: Person, chat: UUID, **changes: Any) -> httpx.Response:
    return await who.api.patch(f"/chats/{chat}", json=changes)


async def done(who: Person, chat: UUID, **changes: Any) -> None:
    answer = await patch(who, chat, **changes)
    assert answer.status_code == 204, answer.text


async def refused(who: Person, chat: UUID, **changes: Any) -> str:
    answer = await patch(who, chat, **changes)
    assert answer.status_code == 400, answer.text
    return answer.json()["message"]


async def read(bureau: Bureau, chat: UUID) -> Chat:
    async with bureau.database.tx(SYSTEM) as tx:
        found = await chats.by_id(tx, chat)
    assert found is not None
    return found


async def pins(bureau: Bureau) -> dict[UUID, int]:
    async with bureau.database.tx(SYSTEM) as tx:
        rows = await tx.rows("SELECT id, pin_order FROM chats WHERE pin_order > 0 ORDER BY 2")
    return {row["id"]: row["pin_order"] for row in rows}


async def test_a_title_of_ones_own(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    await done(bureau.ann, chat, title="  The \n release ")
    found = await read(bureau, chat)
    assert (found.title, found.title_source) == ("The release", "user")
    await done(bureau.ann, chat, title="a\x1b[31m\x00 red\u202e one")
    assert (await read(bureau, chat)).title == "a[31m red one"
    for nothing in (" ", "\x00\n"):
        assert await refused(bureau.ann, chat, title=nothing) == "Title cannot be empty."
    assert "200 characters" in await refused(bureau.ann, chat, title="x" * 201)


async def test_labels_are_replaced_as_a_whole(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann, labels={"a": "1"})
    await done(bureau.ann, chat, labels={"b/c": "2"})
    assert (await read(bureau, chat)).labels == {"b/c": "2"}
    await done(bureau.ann, chat, title="other")
    assert (await read(bureau, chat)).labels == {"b/c": "2"}
    await done(bureau.ann, chat, labels={})
    assert (await read(bureau, chat)).labels == {}


@pytest.mark.parametrize(
    "labels",
    [
        {f"k{n}": "v" for n in range(51)},
        {"": "v"},
        {"a b": "v"},
        {"a": ""},
        {"a" * 65: "v"},
        {"a": "v" * 257},
        {"a": "\x00"},
        {"a": "two\nlines"},
    ],
)
async def test_bad_labels(bureau: Bureau, labels: dict[str, str]) -> None:
    chat = await bureau.chat(bureau.ann, labels={"kept": "1"})
    answer = await patch(bureau.ann, chat, labels=labels, title="never")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid labels."
    assert answer.json()["validations"]
    found = await read(bureau, chat)
    assert (found.labels, found.title) == ({"kept": "1"}, "A chat")


async def test_plan_mode(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    await done(bureau.ann, chat, plan_mode="plan")
    assert (await read(bureau, chat)).plan_mode == "plan"
    await done(bureau.ann, chat, plan_mode="")
    assert (await read(bureau, chat)).plan_mode == ""
    assert (await patch(bureau.ann, chat, plan_mode="other")).status_code == 400


async def test_pins_are_appended_moved_and_closed(bureau: Bureau) -> None:
    a, b, c = [await bureau.chat(bureau.ann) for _ in range(3)]
    for chat in (a, b, c):
        await done(bureau.ann, chat, pin_order=1)
    assert await pins(bureau) == {a: 1, b: 2, c: 3}
    await done(bureau.ann, c, pin_order=1)
    assert await pins(bureau) == {c: 1, a: 2, b: 3}
    await done(bureau.ann, c, pin_order=99)
    assert await pins(bureau) == {a: 1, b: 2, c: 3}
    await done(bureau.ann, a, pin_order=2)
    assert await pins(bureau) == {b: 1, a: 2, c: 3}
    await done(bureau.ann, b, pin_order=0)
    assert await pins(bureau) == {a: 1, c: 2}
    await done(bureau.ann, b, pin_order=0)


async def test_pins_of_the_same_moment_have_places_of_their_own(bureau: Bureau) -> None:
    made = [await bureau.chat(bureau.ann) for _ in range(6)]
    await asyncio.gather(*(done(bureau.ann, chat, pin_order=1) for chat in made))
    assert sorted((await pins(bureau)).values()) == [1, 2, 3, 4, 5, 6]
    # Everybody to the front at once, and away: nobody waits for one another for ever.
    await asyncio.gather(*(done(bureau.ann, chat, pin_order=1) for chat in made))
    await asyncio.gather(*(done(bureau.ann, chat, pin_order=0) for chat in made[:3]))
    assert sorted((await pins(bureau)).values()) == [1, 2, 3]


async def test_pins_heal_holes(bureau: Bureau) -> None:
    a, b, c = [await bureau.chat(bureau.ann) for _ in range(3)]
    await bureau.run("UPDATE chats SET pin_order = 5 WHERE id = %(id)s", id=a)
    await bureau.run("UPDATE chats SET pin_order = 5 WHERE id = %(id)s", id=b)
    await done(bureau.ann, c, pin_order=7)
    assert sorted((await pins(bureau)).values()) == [1, 2, 3]
    assert (await pins(bureau))[c] == 3


async def test_what_cannot_be_pinned(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    child = await bureau.chat(bureau.ann, parent_chat_id=chat, root_chat_id=chat)
    away = await bureau.chat(bureau.ann, columns={"archived": True})
    assert await refused(bureau.ann, chat, pin_order=-1) == "Pin order must be non-negative."
    assert await refused(bureau.ann, away, pin_order=1) == "Cannot pin an archived chat."
    await refused(bureau.ann, child, pin_order=1)


async def test_archiving_unpins_and_tells_twice_is_refused(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    child = await bureau.chat(bureau.ann, parent_chat_id=chat, root_chat_id=chat)
    await done(bureau.ann, chat, pin_order=1)
    assert await refused(bureau.ann, chat, archived=False) == "Chat is not archived."
    await done(bureau.ann, chat, archived=True)
    found = await read(bureau, chat)
    assert (found.archived, found.pin_order) == (True, 0)
    assert (await read(bureau, child)).archived
    assert await refused(bureau.ann, chat, archived=True) == "Chat is already archived."
    await refused(bureau.ann, child, archived=False)
    await done(bureau.ann, chat, archived=False)
    assert not (await read(bureau, child)).archived


async def test_a_new_workspace_clears_the_old_binding(bureau: Bureau) -> None:
    old, new = await workspace(bureau, bureau.ann), await workspace(bureau, bureau.ann)
    theirs = await workspace(bureau, bureau.root)
    chat = await bureau.chat(bureau.ann, workspace_id=old, build_id=uuid4(), agent_id=uuid4())
    await done(bureau.ann, chat, workspace_id=str(new))
    found = await read(bureau, chat)
    assert (found.workspace_id, found.build_id, found.agent_id) == (new, None, None)
    for hidden in (theirs, uuid4()):
        message = await refused(bureau.ann, chat, workspace_id=str(hidden))
        assert message == "Workspace not found or you do not have access to this resource"


async def test_a_workspace_of_another_organization(bureau: Bureau) -> None:
    elsewhere = await bureau.people.organization("elsewhere")
    chat = await bureau.chat(bureau.root)
    far = await workspace(bureau, bureau.root)
    await bureau.run(
        "UPDATE workspaces SET organization_id = %(o)s WHERE id = %(id)s", o=elsewhere, id=far
    )
    message = await refused(bureau.root, chat, workspace_id=str(far))
    assert message == "Workspace does not belong to the specified organization."


async def test_chats_of_others_are_not_there(bureau: Bureau) -> None:
    bob = await bureau.people.add("bob")
    chat = await bureau.chat(bureau.ann)
    for changes in ({"title": "x"}, {"pin_order": 1}, {"archived": True}):
        assert (await patch(bob, chat, **changes)).status_code == 404
    assert (await patch(bob, uuid4(), title="x")).status_code == 404


async def test_watchers_hear_what_changed(bureau: Bureau) -> None:
    chat = await bureau.chat(bureau.ann)
    async with bureau.database.tx(await bureau.people.actor(bureau.ann)) as tx:
        listening = Listening(tx.conn, tx.actor, tx.now)
        await patching.patch(listening, chat, Patch(title="New", labels={"a": "b"}))
    [fact] = listening.told
    assert owner_topic(bureau.ann.id) in fact.topics()
    assert isinstance(fact, ChatChanged)
    assert fact.changes == ("title", "settings")
    assert fact.snapshot_version == (await read(bureau, chat)).snapshot_version


@dataclass(frozen=True)
class Listening(Tx):
    """A unit of work whose facts are kept instead of told."""

    told: list[Fact] = field(default_factory=list[Fact])

    @override
    async def announce(self, fact: Fact) -> None:
        self.told.append(fact)


async def test_extra_a_chat_that_runs_is_stopped_when_it_is_archived(bureau: Bureau) -> None:
    root = await bureau.chat(bureau.ann)
    child = await bureau.chat(
        bureau.ann, parent_chat_id=root, root_chat_id=root, columns={"status": "running"}
    )
    async with bureau.database.tx(as_system("test")) as tx:
        found = await chats.lock(tx, root)
        assert found is not None
        await archive(tx, found)
    found = await read(bureau, child)
    assert (found.archived, found.status) == (True, "waiting")
