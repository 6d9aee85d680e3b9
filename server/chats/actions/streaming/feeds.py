"""The chats of this replica that somebody runs or listens to, and what keeps them true."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from coder_cli.kit.clock import Clock, SystemClock
from server.chats.actions.streaming import telling
from server.chats.actions.streaming.feed import Feed, Source, Stored
from server.chats.actions.streaming.reading import ME, Reader
from server.chats.actions.telling import Told
from server.chats.events import Change, chat_topic
from server.chats.store import looking
from server.kit.db import Database, Outcome
from server.kit.errors import ApiError
from server.kit.pubsub import Pubsub

log = structlog.get_logger()

LOOK_EVERY = 10.0
"""Seconds that a lost notification goes without its effect."""


@dataclass(slots=True)
class _Open:
    feed: Feed
    users: int = 0
    stack: ExitStack = field(default_factory=ExitStack)


class Feeds:
    """Every feed of this replica. One feed serves all who listen to its chat."""

    def __init__(
        self,
        database: Database,
        pubsub: Pubsub,
        *,
        clock: Clock | None = None,
        source: Source | None = None,
    ) -> None:
        self._database = database
        self._pubsub = pubsub
        self._clock = clock or SystemClock()
        self._source = source or Reader(database)
        self._open: dict[UUID, _Open] = {}
        self.moved: Callable[[Feed], None] | None = None
        """Hears of every feed whose row or listeners are others."""
        self._rereads = 0
        database.attend(self._saw)

    @property
    def rereads(self) -> int:
        """Return how often messages were read for listeners."""
        return self._rereads + sum(one.feed.rereads for one in self._open.values())

    @property
    def count(self) -> int:
        """Return how many feeds are open."""
        return len(self._open)

    def all(self) -> Sequence[Feed]:
        """Return the open feeds."""
        return [one.feed for one in self._open.values()]

    def find(self, chat_id: UUID) -> Feed | None:
        """Return the feed of a chat, if anybody here runs it or listens to it."""
        found = self._open.get(chat_id)
        return found.feed if found else None

    @contextmanager
    def open(self, chat_id: UUID) -> Generator[Feed]:
        """Open the feed of a chat, and keep it until the end. From then on nothing is missed."""
        entry = self._open.get(chat_id)
        if entry is None:
            entry = self._open[chat_id] = _Open(Feed(chat_id, self._source, self._moved))
            entry.stack.enter_context(self._pubsub.tap(chat_topic(chat_id), entry.feed.heard))
        entry.users += 1
        try:
            yield entry.feed
        finally:
            entry.users -= 1
            if not entry.users:
                self._rereads += entry.feed.rereads
                del self._open[chat_id]
                entry.stack.close()

    @contextmanager
    def writing(self, chat_id: UUID) -> Generator[Callable[[Stored], None]]:
        """Commit inside, then tell what was committed to whoever listens here."""
        feed = self.find(chat_id)
        if feed is None:
            yield _nobody
            return
        with feed.writing():
            yield feed.stored

    def _moved(self, feed: Feed) -> None:
        if self.moved is not None:
            self.moved(feed)

    def _saw(self, what: object) -> Outcome | None:
        """Take from this replica's own commits what its listeners need not read."""
        feed = self.find(what.chat.id) if isinstance(what, Told) else None
        if feed is None or feed.written or not isinstance(what, Told):
            return None
        told, writing = what, feed.writing()
        writing.__enter__()

        def kept(committed: bool) -> None:  # noqa: FBT001 - the shape of an outcome
            if committed:
                feed.stored(_stored(told))
            writing.__exit__(None, None, None)

        return kept

    async def run(self) -> None:
        """Look every few seconds whether something was missed, with one query for all."""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            try:
                await self.look()
            except ApiError as error:
                log.warning("chats were not looked at", error=error.message)

    async def look(self) -> None:
        """Compare the versions of all open feeds with their rows."""
        wanted = [chat_id for chat_id, one in self._open.items() if one.feed.attended]
        if not wanted:
            return
        async with self._database.tx(ME) as tx:
            versions = await looking.versions(tx, wanted)
        for chat_id, version in versions.items():
            if feed := self.find(chat_id):
                feed.look_again(version)


def _stored(told: Told) -> Stored:
    """Return what was told as a feed takes it. Without rows it will find a gap, and read."""
    before = told.chat.history_version - (1 if told.ids else 0)
    whole = len(told.rows) == len(told.ids)
    shown = [telling.message_event(row) for row in told.rows if row.visibility != "model"]
    return Stored(
        told.chat,
        before if whole else -1,
        shown if whole else (),
        cut=Change.HISTORY in told.changes,
    )


def _nobody(_: Stored) -> None:
    """Nobody here runs this chat or listens to it."""
