"""Chats with a worker whose models are lists, on a real database."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from coder_cli.kit.clock import Clock, SystemClock
from server.chats.actions import sending
from server.chats.actions.streaming import telling
from server.chats.actions.streaming.feed import Feed, Stored
from server.chats.actions.streaming.feeds import Feeds
from server.chats.actions.streaming.listening import Listener
from server.chats.model import Chat, NewMessage, Status
from server.chats.model.orders import Busy
from server.chats.store import chats, messages
from server.chats.store.chats import NewChat
from server.chats.worker.crew import Crew, CrewOptions
from server.chats.worker.ledger import Books
from server.chats.worker.sweeper import Sweeper
from server.chats.worker.turning import Prepared, Shop
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.llm import (
    Finish,
    Finished,
    PartDone,
    Request,
    Role,
    StreamEvent,
    Text,
    TextDelta,
    Usage,
    decode,
)
from server.loop import Engine, Toolbox, Turn
from tests.server.chats.rows import SYSTEM, Rows, text

Script = Callable[[Request], AsyncGenerator[StreamEvent]]
WITHIN = 20.0


async def say(words: str, index: int = 0) -> AsyncGenerator[StreamEvent]:
    """Answer with words, one delta each."""
    for word in words.split(" "):
        yield TextDelta(index, word)
    part = Text(words.replace(" ", ""))
    yield PartDone(index, part)
    yield Finished((part,), Usage(input_tokens=3, output_tokens=2), Finish.STOP)


def echo(request: Request) -> AsyncGenerator[StreamEvent]:
    """Answer every message with ``ok``."""
    return say("o k")


@dataclass
class ListModel:
    """A model that answers as a function says."""

    script: Script = echo
    provider: str = "scripted"
    name: str = "list"
    requests: list[Request] = field(default_factory=list[Request])

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        self.requests.append(request)
        return self.script(request)


class FreePurse:
    """Money is no matter."""

    async def admit(self, chat: Chat, at_most_micros: int | None) -> None:
        pass

    async def paid(self, chat: Chat, cost_micros: int | None) -> None:
        pass


@dataclass
class PlainKitchen:
    """Turns of one model and some tools."""

    model: ListModel
    config_id: UUID
    toolbox: Toolbox = field(default_factory=Toolbox)

    @asynccontextmanager
    async def prepare(self, chat: Chat, feed: Feed) -> AsyncGenerator[Prepared]:
        engine = Engine(self.model, 100_000)
        compact = chat.compaction_requested_at is not None
        yield Prepared(Turn(chat.id, engine, self.toolbox, compact=compact), self.config_id)


@dataclass
class Replica:
    """One server's part of the running side."""

    feeds: Feeds
    crew: Crew
    kitchen: PlainKitchen
    pubsub: Pubsub
    tasks: list[asyncio.Future[Any]] = field(default_factory=list[asyncio.Future[Any]])

    async def stop(self) -> None:
        """End it in order."""
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task
        self.tasks.clear()


@dataclass
class World:
    """Chats, and the replicas that run them."""

    rows: Rows
    clock: Clock
    model: ListModel = field(default_factory=ListModel)
    replicas: list[Replica] = field(default_factory=list[Replica])

    @property
    def database(self) -> Database:
        return self.rows.database

    async def replica(
        self,
        *,
        works: bool = True,
        options: CrewOptions | None = None,
        worker_id: UUID | None = None,
    ) -> Replica:
        """Start a replica; without ``works`` it only listens."""
        pubsub = Pubsub(self.database.dsn)
        feeds = Feeds(self.database, pubsub, clock=self.clock)
        kitchen = PlainKitchen(self.model, self.rows.model)
        shop = Shop(Books(self.database, feeds, FreePurse()), kitchen, self.clock)
        replica = Replica(feeds, Crew(shop, pubsub, worker_id or uuid4(), options), kitchen, pubsub)
        replica.tasks.append(asyncio.ensure_future(pubsub.run()))
        await pubsub.listening.wait()
        replica.tasks.append(asyncio.ensure_future(feeds.run()))
        if works:
            replica.tasks.append(asyncio.ensure_future(replica.crew.run()))
        self.replicas.append(replica)
        return replica

    def sweeper(self) -> Sweeper:
        return Sweeper(self.database, self.clock)

    async def say(
        self,
        chat_id: UUID,
        words: str,
        *,
        on: Replica | None = None,
        busy: Busy = Busy.QUEUE,
    ) -> sending.Sent:
        """Send a message as the route does, on one replica."""
        message = text(Role.USER, words, model_config_id=self.rows.model)
        feeds = on.feeds if on else Feeds(self.database, Pubsub(self.database.dsn))
        with feeds.writing(chat_id) as tell:
            async with self.database.tx(SYSTEM) as tx:
                chat = await chats.lock(tx, chat_id)
                assert chat is not None
                sent = await sending.deliver(tx, chat, message, busy)
            added = [telling.message_event(row) for row in sent.messages]
            tell(Stored(sent.chat, chat.history_version, added))
        return sent

    async def chat(self, words: str = "", **rest: Any) -> UUID:
        """Make a chat; with words it has a first message and waits for a worker."""
        chat_id = uuid4()
        rows = self.rows
        async with self.database.tx(SYSTEM) as tx:
            new = NewChat(chat_id, rows.organization, rows.owner, "A chat", rows.model, **rest)
            await chats.insert(tx, new)
            if words:
                message: NewMessage = text(Role.USER, words, model_config_id=rows.model)
                await messages.append(tx, chat_id, [message])
            else:
                await tx.run(
                    "UPDATE chats SET status = 'waiting' WHERE id = %(id)s", {"id": chat_id}
                )
        return chat_id

    async def until(self, chat_id: UUID, *status: Status) -> Chat:
        """Wait until the chat has one of these statuses."""
        async with asyncio.timeout(WITHIN):
            while True:
                chat = await self.rows.read(chat_id)
                if chat.status in status:
                    return chat
                await asyncio.sleep(0.02)

    async def texts(self, chat_id: UUID) -> list[tuple[str, str]]:
        """Return role and text of everything that people see."""
        async with self.database.tx(SYSTEM) as tx:
            rows = await messages.since(tx, chat_id, 0)
        return [(row.role.value, words(row.content)) for row in rows]


def words(content: object) -> str:
    """Return the text of a stored message."""
    return "".join(part.text for part in decode(content, 1) if isinstance(part, Text))


@asynccontextmanager
async def opened(database: Database, clock: Clock | None = None) -> AsyncGenerator[World]:
    """Open a world; its replicas end with it."""
    world = World(await Rows.begin(database), clock or SystemClock())
    try:
        yield world
    finally:
        for replica in world.replicas:
            await replica.stop()


class Heard:
    """A listener that takes down what it hears, as parsed events."""

    def __init__(self, replica: Replica, chat_id: UUID, after: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self._replica, self._chat_id, self._after = replica, chat_id, after
        self._task = asyncio.ensure_future(self._listen())
        self._more = asyncio.Event()

    async def _listen(self) -> None:
        import json

        with self._replica.feeds.open(self._chat_id) as feed, feed.listen() as bell:
            self.feed = feed
            listener = Listener(feed, self._after)
            async for news in listener.events(bell, 3600):
                for frame in telling.frames(news):
                    self.events.extend(json.loads(frame))
                self._more.set()

    async def until(self, there: Callable[[Sequence[dict[str, Any]]], bool]) -> None:
        """Wait until what was heard is enough."""
        async with asyncio.timeout(WITHIN):
            while not there(self.events):
                self._more.clear()
                waiting = asyncio.ensure_future(self._more.wait())
                await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if self._task.done():
                    self._task.result()
                    assert there(self.events), self.events
                    return

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def statuses(self) -> list[str]:
        return [event["status"]["status"] for event in self.of("status")]

    @property
    def ids(self) -> list[int]:
        return [event["message"]["id"] for event in self.of("message")]

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
