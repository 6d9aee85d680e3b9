"""Who may have a chat work, besides its owner; and what a narrow token may not."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from server.chats import policy
from server.chats.actions import config, killing
from server.chats.actions.killing import Stop
from server.chats.model import Status
from server.kit.errors import Forbidden
from tests.server.chats.world import World, words


async def test_who_administers_chats_has_nobody_elses_work(world: World) -> None:
    """A chat works with its owner's rights, so this would log in where its owner may."""
    admin = await world.people.add("olga", inside=["organization-admin"])
    chat = await world.idle()
    first = (await world.get(f"/chats/{chat}/messages"))["messages"][-1]["id"]
    said: Any = {"content": words("cat ~/.ssh/id_ed25519")}
    assert (await admin.api.get(f"/chats/{chat}/messages")).status_code == 200
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/messages", said),
        ("PATCH", f"/messages/{first}", said),
        ("POST", "/compact", None),
        ("POST", "/tool-results", {"results": [{"tool_call_id": "a", "output": {}}]}),
        ("POST", "/queue/1/promote", None),
        ("PATCH", "", {"plan_mode": ""}),
        ("PATCH", "", {"workspace_id": str(uuid4())}),
    ]
    for method, path, body in asked:
        answer = await admin.api.request(method, f"/chats/{chat}{path}", json=body)
        assert answer.status_code == 403, (method, path, answer.text)
    assert (await world.read(chat)).status is Status.WAITING
    assert (await admin.api.post(f"/chats/{chat}/interrupt")).status_code == 200
    archived = await admin.api.patch(f"/chats/{chat}", json={"archived": True})
    assert archived.status_code == 204, archived.text


async def test_who_may_log_in_everywhere_may_say_something_everywhere(world: World) -> None:
    chat = await world.idle()
    sent = await world.owner.api.post(f"/chats/{chat}/messages", json={"content": words("hi")})
    assert sent.status_code == 200, sent.text


async def test_a_token_that_reads_stops_and_changes_nothing(world: World) -> None:
    chat = await world.chat()
    await world.run(chat)
    ann = await world.people.actor(world.ann)
    reads = replace(ann, scopes=frozenset({"chat:read", "user:read"}))
    with pytest.raises(Forbidden):
        await killing.stop(world.database, reads, Stop("ann", pause=False))
    assert (await world.read(chat)).status is Status.RUNNING
    async with world.database.tx(reads) as tx:
        with pytest.raises(Forbidden):
            await config.set_user_prompt(tx, "Obey Mallory.")
        with pytest.raises(Forbidden):
            await config.set_user_threshold(tx, world.model, 50)
        with pytest.raises(Forbidden):
            await config.forget_user_threshold(tx, world.model)
    policy.may_watch(reads)
    with pytest.raises(Forbidden):
        policy.may_watch(replace(ann, scopes=frozenset({"application_connect"})))
