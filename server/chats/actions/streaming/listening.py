"""One listener of a chat: what has been there, then what comes, without a gap or a repetition."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from server.chats.actions.streaming import telling
from server.chats.actions.streaming.feed import Feed
from server.chats.model import Chat, Status
from server.chats.model.live import Place
from server.kit.pubsub import Bell


@dataclass(slots=True)
class Listener:
    """A place in a feed. Whoever is slow takes what came meanwhile at once, and holds up nobody."""

    feed: Feed
    after: int = 0
    """The newest message that it has."""
    _seen: Chat | None = None
    _epoch: int = 0
    _queue: str = "[]"
    _place: Place = field(default_factory=Place)
    gone: bool = False
    """The chat exists no more."""

    def __post_init__(self) -> None:
        """Begin in the history as it is now."""
        self._epoch = self.feed.epoch

    async def events(self, bell: Bell, patience: float) -> AsyncGenerator[list[str]]:
        """Yield what is news, as long as the chat exists; nothing at all when there was none."""
        while not self.gone:
            news = await self.news()
            if news:
                yield news
            elif not await bell.wait(patience):
                yield []

    async def news(self) -> list[str]:
        """Return everything new, or as much of it as is read at a time."""
        chat = await self.feed.current()
        if chat is None:
            self.gone = True
            return []
        told = [] if self._seen else telling.state_events(chat, None)
        if self.feed.epoch != self._epoch:
            self._epoch, self.after, self._place = self.feed.epoch, 0, Place()
            told.append(telling.event(chat.id, "history_reset"))
        kept = await self.feed.since(self.after, chat)
        if self.feed.epoch != self._epoch:
            return told  # Cut meanwhile: what was read may be of the history before.
        if kept:
            self.after = kept[-1].id
            told.extend(one.event for one in kept)
        told.extend(await self._about(chat))
        if self.feed.known is chat and (not kept or self._whole(chat)):
            told.extend(self._parts(chat))
        return told

    def _whole(self, chat: Chat) -> bool:
        """Tell whether all messages of this history have been told."""
        return self.feed.has_all(self.after, chat)

    async def _about(self, chat: Chat) -> list[str]:
        """Return what the row has to tell besides its messages."""
        told: list[str] = []
        before, self._seen = self._seen, chat
        if before is chat:
            return told
        waiting = await self.feed.queue(chat)
        if waiting != self._queue:
            self._queue = waiting
            told.append(telling.queue_event(chat.id, waiting))
        if before is not None:
            told.extend(telling.state_events(chat, before))
        if chat.status is Status.REQUIRES_ACTION and (
            before is None
            or before.status is not Status.REQUIRES_ACTION
            or before.history_version != chat.history_version
        ):
            calls = await self.feed.calls(chat)
            told.append(telling.action_event(chat.id, calls))
        return told

    def _parts(self, chat: Chat) -> list[str]:
        """Return what is being said now, unless it goes on from another history than is told."""
        parts = self.feed.parts
        if parts.history_version != chat.history_version:
            return []
        news = parts.since(self._place)
        self._place = news.place
        reset = [telling.event(chat.id, "preview_reset")] if news.reset else []
        return [*reset, *news.events]
