"""What this replica knows of one chat: its row, its newest messages, and what is being said now.

The replica that stores something puts it here (``stored``), so its listeners cost no query. What
another replica stored is heard as a fact with version numbers, and read once for all listeners.
Source: reference, chats, sections 5.2 to 5.4.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from server.chats.events import Change
from server.chats.model import Chat
from server.chats.model.live import MOST_MESSAGES, Kept, Parts, Tail
from server.kit.pubsub import Bell


class Source(Protocol):
    """Where a feed reads what it was not told."""

    async def chat(self, chat_id: UUID) -> Chat | None:
        """Return the row, whoever may see it; None when it is gone."""
        ...

    async def messages(self, chat_id: UUID, after: int, limit: int) -> list[Kept]:
        """Return the first ``limit`` messages after ``after`` that listeners see."""
        ...

    async def queue(self, chat_id: UUID) -> str:
        """Return the messages that wait, as a JSON array."""
        ...

    async def calls(self, chat: Chat) -> str:
        """Return the calls that the client shall answer, as a JSON array."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What this replica committed about a chat."""

    chat: Chat
    """The row as it is since."""
    history_before: int
    """Its ``history_version`` before."""
    messages: Sequence[Kept] = ()
    """The rows that were added, as far as listeners see them."""
    cut: bool = False
    """Older messages went."""
    queue: str = ""
    """The messages that wait now, as a JSON array; empty where nobody looked."""
    calls: str = ""
    """The calls that the client shall answer, as a JSON array; empty where there are none."""


def _nobody(_: "Feed") -> None:
    """Hear that a feed is another, for those who do not care."""


@contextmanager
def _hung(bells: set[Bell]) -> Generator[Bell]:
    bell = Bell()
    bells.add(bell)
    try:
        yield bell
    finally:
        bells.discard(bell)


class Feed:
    """One chat on one replica, for as long as anybody here runs it or listens to it."""

    def __init__(
        self, chat_id: UUID, source: Source, moved: Callable[["Feed"], None] | None = None
    ) -> None:
        """Read from ``source``; ``moved`` hears when the row or the listeners are others."""
        self.chat_id = chat_id
        self._moved = moved or _nobody
        self.parts = Parts()
        self.epoch = 0
        """Counts the times that history was cut: listeners of an older one read all again."""
        self.rereads = 0
        """How often messages were read from the database for somebody who had heard the begin."""
        self._source = source
        self._chat: Chat | None = None
        self._tail = Tail()
        self._queue: tuple[int, str] = (-1, "[]")
        self._calls: tuple[int, str] = (-1, "[]")
        self._bells: set[Bell] = set()
        self._watches: set[Bell] = set()
        self._cut_at = 0
        self._writers = 0
        self._wanted = 0
        self._unsure = False
        self._reading = asyncio.Lock()

    # Those who listen ----------------------------------------------------------------------------

    @contextmanager
    def listen(self) -> Generator[Bell]:
        """Ring a bell with every change and every word, until the end."""
        try:
            with _hung(self._bells) as bell:
                self._moved(self)
                yield bell
        finally:
            self._moved(self)

    @contextmanager
    def watch(self) -> Generator[Bell]:
        """Ring a bell when the row may be another, until the end; what is said is not heard."""
        with _hung(self._watches) as bell:
            yield bell

    @property
    def listeners(self) -> int:
        """Return how many listen."""
        return len(self._bells)

    @property
    def attended(self) -> bool:
        """Tell whether anybody wants to know when the row changes."""
        return bool(self._bells or self._watches)

    @property
    def known(self) -> Chat | None:
        """Return the row as it was last seen here, however old."""
        return self._chat

    def _speak(self) -> None:
        for bell in self._bells:
            bell.ring()

    def _change(self) -> None:
        for bell in (*self._bells, *self._watches):
            bell.ring()
        self._moved(self)

    # What is said now ----------------------------------------------------------------------------

    def begin(self, history_version: int, attempt: int, *, void: bool = False) -> None:
        """Begin an attempt of a step; ``void``: the one before left nothing that is stored."""
        self.parts.begin(history_version, attempt, void=void)
        self._speak()

    def say(self, event: str) -> bool:
        """Add an event of the attempt; return False when older ones had to go for it."""
        kept = self.parts.add(event)
        self._speak()
        return kept

    # What is stored ------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Generator[None]:
        """Hold back what is heard meanwhile: facts outrun the return of the commit they left with.

        Inside, commit, and tell the outcome with ``stored``.
        """
        self._writers += 1
        try:
            yield
        finally:
            self._writers -= 1
            self._judge()

    @property
    def written(self) -> bool:
        """Tell whether somebody writes just now, and will tell what."""
        return self._writers > 0

    def stored(self, done: Stored) -> None:
        """Take what this replica committed."""
        chat = done.chat
        if self._knows(chat.snapshot_version):
            return
        if done.cut:
            self._cut(chat.snapshot_version)
        elif chat.history_version != done.history_before:
            self._tail.append(done.history_before, chat.history_version, done.messages)
        if done.queue:
            self._queue = (chat.queue_version, done.queue)
        if done.calls:
            self._calls = (chat.history_version, done.calls)
        self._chat = chat
        self._change()

    def heard(self, fact: Mapping[str, Any] | None) -> None:
        """Take note of a fact; None says that some may have been lost."""
        if fact is None:
            self._unsure = True
        else:
            version = int(fact["snapshot_version"])
            if Change.HISTORY in fact["changes"] and version > self._cut_at:
                # Also when the row was read since: nobody told this replica's listeners.
                self._cut(version)
            elif self._knows(version):
                return
            self._wanted = max(self._wanted, version)
        self._judge()

    def look_again(self, version: int) -> None:
        """Take note that the row has this version, by whatever way that was found out."""
        if not self._knows(version):
            self._wanted = max(self._wanted, version)
            self._judge()

    def _knows(self, version: int) -> bool:
        return self._chat is not None and version <= self._chat.snapshot_version

    def _judge(self) -> None:
        if not self._writers:
            self._change()

    def _cut(self, version: int) -> None:
        self.epoch += 1
        self._cut_at = version
        self._tail.forget()
        self.parts.begin(0, 0)

    # What is known -------------------------------------------------------------------------------

    async def current(self) -> Chat | None:
        """Return the row as it is, read again if something was heard of it; None: it is gone."""
        if self._fresh:
            return self._chat
        async with self._reading:
            if not self._fresh:
                await self._read_row()
        return self._chat

    @property
    def _fresh(self) -> bool:
        if self._writers and self._chat is not None:
            # Whoever writes tells in a moment; until then what was true is good enough.
            return True
        return not self._unsure and self._knows(self._wanted)

    async def _read_row(self) -> None:
        wanted, unsure, self._unsure = self._wanted, self._unsure, False
        try:
            chat = await self._source.chat(self.chat_id)
        except BaseException:
            self._unsure = self._unsure or unsure
            raise
        if chat is None:
            self._chat, self._wanted = None, -1
            return
        self.learn(chat, missed=unsure)
        if chat.snapshot_version < wanted:
            # A fact of a transaction that a restored database does not know; it is as it is.
            self._wanted = min(self._wanted, chat.snapshot_version)

    def learn(self, chat: Chat, *, missed: bool = False) -> None:
        """Take a row that was read; ``missed``: nobody can tell whether its history was cut."""
        before = self._chat
        if before and chat.snapshot_version <= before.snapshot_version:
            return
        self._chat = chat
        self._moved(self)
        if before is None:
            self._cut_at = max(self._cut_at, chat.snapshot_version)
        elif missed and chat.history_version != before.history_version:
            self._cut(chat.snapshot_version)

    async def queue(self, chat: Chat) -> str:
        """Return the messages that wait, as a JSON array."""
        if not chat.queued:
            return "[]"
        if self._queue[0] < chat.queue_version:
            async with self._reading:
                if self._queue[0] < chat.queue_version:
                    self._queue = (chat.queue_version, await self._source.queue(self.chat_id))
        return self._queue[1]

    async def calls(self, chat: Chat) -> str:
        """Return the calls that the client shall answer, as a JSON array."""
        if self._calls[0] < chat.history_version:
            async with self._reading:
                if self._calls[0] < chat.history_version:
                    self._calls = (chat.history_version, await self._source.calls(chat))
        return self._calls[1]

    async def since(self, after: int, chat: Chat) -> list[Kept]:
        """Return messages after ``after``, all of them or as many as are kept at a time."""
        kept = self._at_hand(after, chat)
        if kept is not None:
            return kept
        async with self._reading:
            kept = self._at_hand(after, chat)
            if kept is not None:
                return kept
            self.rereads += 1
            epoch = self.epoch
            read = await self._source.messages(self.chat_id, after, MOST_MESSAGES)
            if len(read) < MOST_MESSAGES and epoch == self.epoch:
                self._tail.learn(chat.history_version, after, read)
            return read

    def _at_hand(self, after: int, chat: Chat) -> list[Kept] | None:
        if self._tail.version < chat.history_version:
            return None
        return self._tail.since(after)

    def has_all(self, after: int, chat: Chat) -> bool:
        """Tell whether no message after ``after`` is known that belongs to this row."""
        return self._at_hand(after, chat) == []
