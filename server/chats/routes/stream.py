"""A chat as a WebSocket: what has been said, then every word as it comes.

Source: reference, chats, section 2.7.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, WebSocket

from server import identity
from server.chats.actions import find, patching
from server.chats.actions.streaming import telling
from server.chats.actions.streaming.feed import Feed
from server.chats.actions.streaming.feeds import Feeds
from server.chats.actions.streaming.listening import Listener
from server.kit.db import Database
from server.kit.errors import ApiError, Forbidden, NotFound, Unauthorized
from server.kit.pubsub import Bell, Pubsub
from server.kit.routing import Authenticator, Db, Me, service
from server.kit.speaking import speak

log = structlog.get_logger()
routes = APIRouter()

LOOK_EVERY = 60.0
"""Seconds between looks at a right that nobody said has changed."""
NORMAL, FORBIDDEN, GONE = 1000, 4403, 4404
LARGEST_ID = 2**63 - 1


@dataclass(slots=True)
class Watched:
    """Somebody at the other end of a stream, and how to ask again whether they may be there."""

    websocket: WebSocket
    chat_id: UUID
    user_id: UUID
    suspect: asyncio.Event = field(default_factory=asyncio.Event)

    async def may_stay(self) -> bool:
        """Ask who they are, and whether they may still see the chat."""
        self.suspect.clear()
        try:
            actor = await service(self.websocket, Authenticator)(self.websocket)
            async with service(self.websocket, Database).tx(actor) as tx:
                await find.chat(tx, self.chat_id)
        except (Unauthorized, Forbidden, NotFound):
            return False
        except ApiError:
            # No answer is no reason: the next look is not far.
            return True
        return True


@routes.websocket("/{chat}/stream")
async def stream(
    websocket: WebSocket,
    me: Me,
    db: Db,
    chat: UUID,
    after_id: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> None:
    """Send what was said after ``after_id``, and then what happens, until the client leaves."""
    watched = Watched(websocket, chat, me.user_id)
    with ExitStack() as stack:
        # From here on nothing is missed; what is read comes after it.
        feed = stack.enter_context(service(websocket, Feeds).open(chat))
        bell = stack.enter_context(feed.listen())

        def doubt(_: dict[str, Any] | None) -> None:
            watched.suspect.set()
            bell.ring()

        pubsub = service(websocket, Pubsub)
        stack.enter_context(pubsub.tap(identity.access_topic(me.user_id), doubt))
        async with db.tx(me) as tx:
            found = await find.chat(tx, chat)
            if found.owner_id == me.user_id:
                await patching.mark_read(tx, chat)
        feed.learn(found)
        await websocket.accept()
        try:
            await speak(websocket, me.id, _send(watched, feed, bell, after_id))
        finally:
            if found.owner_id == me.user_id:
                await asyncio.shield(_mark_read(db, watched, me))


async def _send(watched: Watched, feed: Feed, bell: Bell, after: int) -> int:
    """Send events; return the code to close with."""
    listener = Listener(feed, after)
    async for news in listener.events(bell, LOOK_EVERY):
        if (not news or watched.suspect.is_set()) and not await watched.may_stay():
            return FORBIDDEN
        for frame in telling.frames(news):
            await watched.websocket.send_text(frame)
    return GONE


async def _mark_read(db: Database, watched: Watched, me: Me) -> None:
    try:
        async with db.tx(me) as tx:
            await patching.mark_read(tx, watched.chat_id)
    except ApiError as error:
        log.debug("a chat was not marked as read", chat=str(watched.chat_id), error=error.message)
