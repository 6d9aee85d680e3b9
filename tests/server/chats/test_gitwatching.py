"""A watch of a chat's repositories ends when its watcher's rights do."""

import asyncio
from uuid import uuid4

from coder_cli.sdk.agentapi.http import ChatContext
from server.chats.actions.gitwatching import Watched, Watcher, until_lost
from server.identity import AccessChanged
from server.kit.authz import Actor
from server.kit.errors import Unauthorized, Unavailable
from server.kit.pubsub import Pubsub
from tests.server.chats.world import SYSTEM, World


async def test_a_watch_ends_with_its_watchers_rights(world: World) -> None:
    pubsub = Pubsub(world.database.dsn)
    listening = asyncio.ensure_future(pubsub.run())
    await pubsub.listening.wait()
    ann, mallory = world.ann, await world.people.add("mallory")
    strangers = await world.people.actor(mallory)
    chat = await world.chat()
    asked = asyncio.Event()
    answers: list[Actor | Exception] = []

    async def ask_again() -> Actor:
        asked.set()
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def doubt() -> None:
        asked.clear()
        async with world.database.tx(SYSTEM) as tx:
            await tx.announce(AccessChanged(user_id=ann.id))

    watcher = Watcher(ann.id, ask_again)
    watched = Watched(uuid4(), uuid4(), ChatContext(chat))
    for end in (Unauthorized("Suspended."), strangers):
        answers[:] = [Unavailable("Busy."), end]
        watching = asyncio.ensure_future(until_lost(world.database, pubsub, watcher, watched))
        async with asyncio.timeout(20):
            await asyncio.sleep(0)
            await doubt()
            await asked.wait()
            await doubt()
            await watching
        assert not answers
    listening.cancel()
    await asyncio.wait({listening})
