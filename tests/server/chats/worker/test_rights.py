"""A turn acts with its owner's rights of now, not with those it began with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from server import tools
from server.chats.actions.streaming.feed import Feed
from server.chats.model import Chat, Status
from server.chats.worker.preparing import Pantry, RealKitchen
from server.chats.worker.turning import Prepared
from server.identity import AccessChanged
from server.kit.db import Database
from server.kit.sealing import Sealer
from server.llm import Clients, Request, StreamEvent, TextDelta
from server.loop import Engine
from tests.server.chats.rows import SYSTEM
from tests.server.chats.worker.world import ListModel, World, opened

MEMBER = """
    INSERT INTO organization_members (organization_id, user_id, roles, created_at, updated_at)
    VALUES (%(organization)s, %(user)s, '{}', %(now)s, %(now)s)
"""


class ListKitchen(RealKitchen):
    """Real turns, but for the model: that is a function."""

    model: ListModel

    @asynccontextmanager
    async def prepare(self, chat: Chat, feed: Feed) -> AsyncGenerator[Prepared]:
        async with super().prepare(chat, feed) as ready:
            turn = replace(ready.turn, engine=Engine(self.model, 100_000))
            yield replace(ready, turn=turn)


async def _house(world: World, began: asyncio.Event) -> None:
    """Start a replica whose model begins to answer and does not end."""

    async def endless(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "half")
        began.set()
        await asyncio.Event().wait()

    async with world.database.tx(SYSTEM) as tx:
        args = {"organization": world.rows.organization, "user": world.rows.owner, "now": tx.now}
        await tx.run(MEMBER, args)
    world.model.script = endless
    replica = await world.replica(works=False)
    nothing = cast("Any", None)
    means = tools.Means(world.database, replica.pubsub, nothing, nothing, world.clock)
    kitchen = ListKitchen(Pantry(world.database, means, Clients(world.clock), Sealer()))
    kitchen.model = world.model
    replica.crew._shop = replace(replica.crew._shop, kitchen=kitchen)  # pyright: ignore[reportPrivateUsage]
    replica.tasks.append(asyncio.ensure_future(kitchen.run()))
    replica.tasks.append(asyncio.ensure_future(replica.crew.run()))


async def test_the_turn_of_who_is_suspended_ends(database: Database) -> None:
    began = asyncio.Event()
    async with opened(database) as world:
        await _house(world, began)
        chat_id = await world.chat("hello")
        async with asyncio.timeout(20):
            await began.wait()
        async with database.tx(SYSTEM) as tx:
            await tx.run(
                "UPDATE users SET status = 'suspended' WHERE id = %(id)s", {"id": world.rows.owner}
            )
            await tx.announce(AccessChanged(user_id=world.rows.owner))
        chat = await world.until(chat_id, Status.ERROR)
        assert chat.last_error is not None
        assert chat.last_error["message"] == "User 'ann' is suspended."
        assert await world.texts(chat_id) == [("user", "hello"), ("assistant", "half")]


async def test_the_turn_of_who_left_the_organization_ends(database: Database) -> None:
    began = asyncio.Event()
    async with opened(database) as world:
        await _house(world, began)
        chat_id = await world.chat("hello")
        async with asyncio.timeout(20):
            await began.wait()
        async with database.tx(SYSTEM) as tx:
            await tx.run(
                "DELETE FROM organization_members WHERE user_id = %(id)s", {"id": world.rows.owner}
            )
            await tx.announce(AccessChanged(user_id=world.rows.owner))
        chat = await world.until(chat_id, Status.ERROR)
        assert chat.last_error is not None
        assert "may no longer have chats" in chat.last_error["message"]
