"""Words across replicas: from the one that runs a turn to those whose listeners hear it.

What is stored travels through the database; what is being said goes over the internal line between
replicas, from memory to memory. Source: reference, chats, section 5.5.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from coder_cli.kit.clock import Clock
from server.chats.actions.streaming.feed import Feed
from server.chats.actions.streaming.feeds import Feeds
from server.chats.model.live import Place
from server.kit.errors import ApiError
from server.kit.pubsub import Bell
from server.network import Channel, Closed, Relay

log = structlog.get_logger()

WHAT = "chat-parts"
FRAME = 128 << 10
"""Bytes of one frame; a longer message takes several."""
AGAIN = 0.25
SILENT_FOR = 5.0
"""Seconds after which a replica that tells looks whether the turn still is its own."""
LAST, MORE = b"\x00", b"\x01"


@dataclass(slots=True)
class _Followed:
    """A chat that another replica runs."""

    worker_id: UUID
    task: asyncio.Task[None]


class Relays:
    """Tells other replicas what is said here, and asks them for what is said there."""

    def __init__(self, feeds: Feeds, relay: Relay, clock: Clock) -> None:
        self._feeds = feeds
        self._relay = relay
        self._clock = clock
        self._followed: dict[UUID, _Followed] = {}
        self._moved: set[UUID] = set()
        self._bell = Bell()
        relay.serve(WHAT, self.tell)
        feeds.moved = self._note

    @property
    def followed(self) -> int:
        """Return how many chats of other replicas are listened to here."""
        return len(self._followed)

    # Told by us ----------------------------------------------------------------------------------

    async def tell(self, chat_id: UUID, channel: Channel) -> None:
        """Tell another replica what is said, as long as the turn is ours and it listens."""
        left = asyncio.ensure_future(_left(channel))
        try:
            await self._tell(chat_id, channel, left)
        finally:
            left.cancel()

    async def _tell(self, chat_id: UUID, channel: Channel, left: asyncio.Future[None]) -> None:
        with self._feeds.open(chat_id) as feed, feed.listen() as bell:
            place = Place()
            while not left.done():
                chat = await feed.current()
                if chat is None or chat.worker_id != self._relay.id:
                    return
                news = feed.parts.since(place)
                if news.place != place or news.reset:
                    place = news.place
                    await _send(channel, _message(feed, len(news.events), news.events))
                else:
                    rung = asyncio.ensure_future(bell.wait(SILENT_FOR))
                    await asyncio.wait({rung, left}, return_when=asyncio.FIRST_COMPLETED)
                    rung.cancel()

    # Told to us ----------------------------------------------------------------------------------

    def _note(self, feed: Feed) -> None:
        if self._wanted(feed) is not None or feed.chat_id in self._followed:
            self._moved.add(feed.chat_id)
            self._bell.ring()

    def _wanted(self, feed: Feed | None) -> UUID | None:
        """Return the replica to ask about a chat; None when nobody here listens, or it is us."""
        chat = feed.known if feed is not None and feed.listeners else None
        if chat is None or chat.worker_id == self._relay.id:
            return None
        return chat.worker_id

    async def run(self) -> None:
        """Follow the turns of other replicas until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._bell.wait()
                moved, self._moved = self._moved, set()
                for chat_id in moved:
                    self._settle(chat_id, group)

    def _settle(self, chat_id: UUID, group: asyncio.TaskGroup) -> None:
        feed = self._feeds.find(chat_id)
        wanted, now = self._wanted(feed), self._followed.get(chat_id)
        if now is not None and (wanted != now.worker_id or now.task.done()):
            # Drained by its end: what it told is in the feed already.
            now.task.cancel()
            del self._followed[chat_id]
            now = None
        if wanted is not None and now is None and feed is not None:
            task = group.create_task(self._follow(feed, wanted), name=f"chat parts {chat_id}")
            self._followed[chat_id] = _Followed(wanted, task)

    async def _follow(self, feed: Feed, worker_id: UUID) -> None:
        ear, pause = _Ear(feed), AGAIN
        while self._wanted(feed) == worker_id:
            try:
                async with self._relay.call(worker_id, WHAT, feed.chat_id) as channel:
                    while True:
                        ear.hear(await _receive(channel))
                        pause = AGAIN
            except (ApiError, Closed) as end:
                log.debug("a line about a chat ended", chat=str(feed.chat_id), reason=str(end))
            await self._clock.sleep(pause)
            pause = min(pause * 2, SILENT_FOR)


class _Ear:
    """Puts what another replica tells into the feed here, each word once."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._far = -1
        """The other replica's episode that we are in."""
        self._near = -1
        """The feed's own that this is."""
        self._heard = 0
        """The number of the next word, as the other replica counts."""

    def hear(self, message: dict[str, Any]) -> None:
        """Take a message."""
        first: int = message["first"]
        told: list[str] = message["events"]
        if message["episode"] != self._far or self._feed.parts.episode != self._near:
            self._begin(message, void=self._far < 0 or bool(message["void"]))
        elif first > self._heard:
            # The other one keeps so much and no more: what is here has a hole.
            self._begin(message, void=True)
        for event in told[self._heard - first :]:
            self._feed.say(event)
        self._heard = max(self._heard, first + len(told))

    def _begin(self, message: dict[str, Any], *, void: bool) -> None:
        self._feed.begin(message["history"], message["attempt"], void=void)
        self._far, self._near = message["episode"], self._feed.parts.episode
        self._heard = message["first"]


def _message(feed: Feed, count: int, events: Any) -> dict[str, Any]:
    parts = feed.parts
    return {
        "episode": parts.episode,
        "history": parts.history_version,
        "attempt": parts.attempt,
        "void": parts.void,
        "first": parts.said - count,
        "events": list(events),
    }


async def _left(channel: Channel) -> None:
    """Return when the line is gone: whoever listens says nothing on it."""
    with suppress(Closed):
        while True:
            await channel.receive()


async def _send(channel: Channel, message: dict[str, Any]) -> None:
    content = json.dumps(message, separators=(",", ":")).encode()
    for start in range(0, len(content), FRAME):
        end = start + FRAME
        await channel.send((LAST if end >= len(content) else MORE) + content[start:end])


async def _receive(channel: Channel) -> dict[str, Any]:
    whole = bytearray()
    while True:
        frame = await channel.receive()
        whole += frame[1:]
        if frame[:1] != MORE:
            return json.loads(bytes(whole))
