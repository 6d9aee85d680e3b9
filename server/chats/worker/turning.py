"""One turn of one chat: made ready, run, and ended, whatever happens to it meanwhile.

Source: reference, chats, sections 3.2 to 3.4 and 3.8.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import structlog

from coder_cli.kit.clock import Clock
from server.chats.actions.streaming.feed import Feed, Stored
from server.chats.model import Chat, Status
from server.chats.model.failures import Failure
from server.chats.worker.ledger import Books, ChatLedger
from server.chats.worker.metrics import Meter
from server.chats.worker.voice import FeedVoice
from server.kit.errors import ApiError, Unavailable
from server.llm import ErrorKind, ModelError
from server.loop import Failed, Interrupt, LeaseLost, Outcome, Stopped, Switch, Turn, run

log = structlog.get_logger()

INTERRUPTED = "interrupted"
LOST = "lost"
PANIC = "chat processing panicked: "
MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Prepared:
    """A turn that may begin, and the model config that answers."""

    turn: Turn
    config_id: UUID
    mind: Callable[[Callable[[str], None]], Awaitable[None]] | None = None
    """Runs beside the turn, and stops it once its rights are gone."""


class Kitchen(Protocol):
    """Whoever makes turns ready."""

    def prepare(self, chat: Chat, feed: Feed) -> AbstractAsyncContextManager[Prepared]:
        """Return all that a turn of the chat runs with, until its end.

        Raises:
            ModelError: its model cannot be asked.
            ApiError: its owner may no longer have it run.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shop:
    """What the turns of a replica share."""

    books: Books
    kitchen: Kitchen
    clock: Clock
    meter: Meter = field(default_factory=Meter)


class Turning:
    """A turn, from the lease to its end."""

    def __init__(self, shop: Shop, chat: Chat) -> None:
        assert chat.runner_id is not None
        self.chat = chat
        self.runner_id = chat.runner_id
        self._shop = shop
        self._switch = Switch()
        self._ledger: ChatLedger | None = None

    @property
    def ending(self) -> bool:
        """Tell whether the turn gives its chat back just now, or has done so."""
        ledger = self._ledger
        return ledger is not None and (ledger.writing or ledger.ended is not None)

    @property
    def workspace_id(self) -> UUID | None:
        """Return the workspace that the chat works in, as far as this replica knows."""
        feed = self._shop.books.feeds.find(self.chat.id)
        known = feed.known if feed else None
        return (known or self.chat).workspace_id

    def lose(self) -> None:
        """Stop: the lease is somebody else's, or could not be kept. Nothing more is stored."""
        self._switch.stop(LOST)

    def look_again(self, version: int) -> None:
        """Take note that the chat's row has this version."""
        if feed := self._shop.books.feeds.find(self.chat.id):
            feed.look_again(version)

    async def run(self) -> None:
        """Run the turn; whatever goes wrong ends in a state from which the owner can go on."""
        with self._shop.books.feeds.open(self.chat.id) as feed:
            feed.stored(Stored(self.chat, self.chat.history_version))
            async with asyncio.TaskGroup() as group:
                control = group.create_task(self._obey(feed))
                await self._run(feed)
                control.cancel()

    async def _run(self, feed: Feed) -> None:
        voice = FeedVoice(feed, self.chat, self._shop.clock)
        ledger = self._ledger = ChatLedger(self._shop.books, self.chat, voice)
        try:
            outcome = await self._outcome(feed, ledger, voice)
            try:
                await self._end(ledger, outcome)
            except (LeaseLost, Unavailable):
                raise
            except Exception as crash:
                # Left as it is, the chat would be taken and run again for ever, and paid for.
                log.exception("a turn's end crashed", chat=str(self.chat.id))
                await ledger.fail(Failure(f"{PANIC}{type(crash).__name__}"))
        except LeaseLost:
            log.info("a turn was given up: its chat went on without it", chat=str(self.chat.id))
        except Unavailable as error:
            # Whether the last commit arrived cannot be known: another lease reads what is there.
            log.warning("a turn was given up", chat=str(self.chat.id), error=error.message)

    async def _outcome(self, feed: Feed, ledger: ChatLedger, voice: FeedVoice) -> Outcome | Failure:
        if self.chat.status is Status.INTERRUPTING:
            # Its runner died before it could end it.
            return Stopped(INTERRUPTED)
        try:
            async with AsyncExitStack() as stack:
                async with self._switch.armed():
                    ready = await stack.enter_async_context(
                        self._shop.kitchen.prepare(self.chat, feed)
                    )
                ledger.config_id = ready.config_id
                model = ready.turn.engine.model
                voice.reading = self._shop.meter.of(model.provider, model.name)
                await stack.enter_async_context(_beside(ready, self._switch.stop))
                return await run(ready.turn, ledger, voice, self._shop.clock, self._switch)
        except Interrupt as stop:
            return Stopped(stop.cause)
        except ModelError as error:
            return Failed(error)
        except (LeaseLost, Unavailable):
            raise
        except ApiError as refusal:
            return Failed(ModelError(ErrorKind.CONFIG, refusal.message, detail=refusal.detail))
        except Exception as crash:
            log.exception("a turn crashed", chat=str(self.chat.id))
            return Failure(f"{PANIC}{str(crash)[:MOST_WORDS] or type(crash).__name__}")

    async def _end(self, ledger: ChatLedger, outcome: Outcome | Failure) -> None:
        if ledger.ended is not None:
            return
        if isinstance(outcome, Failure):
            await ledger.fail(outcome)
        elif isinstance(outcome, Stopped) and outcome.cause == LOST:
            raise LeaseLost
        else:
            await ledger.end(outcome)

    async def _obey(self, feed: Feed) -> None:
        """Stop the turn when its row says so.

        Only rows count, and of these only newer ones than the lease: what is told of an earlier
        turn, however late, stops nothing.
        """
        with feed.watch() as bell:
            while True:
                try:
                    cause = self._judge(await feed.current())
                except ApiError as error:
                    log.warning("a chat was not read", chat=str(feed.chat_id), error=error.message)
                else:
                    if cause:
                        self._switch.stop(cause)
                await bell.wait()

    def _judge(self, chat: Chat | None) -> str:
        if chat is None or chat.runner_id != self.runner_id:
            # Stopped hard: what was said so far may be stored still, if the history is as it was.
            welcome = chat is not None and chat.stopped_runner_id == self.runner_id
            return INTERRUPTED if welcome else LOST
        return INTERRUPTED if chat.status is Status.INTERRUPTING else ""


@asynccontextmanager
async def _beside(ready: Prepared, stop: Callable[[str], None]) -> AsyncGenerator[None]:
    if ready.mind is None:
        yield
        return
    minding = asyncio.ensure_future(ready.mind(stop))
    try:
        yield
    finally:
        minding.cancel()
        await asyncio.wait({minding})
        if not minding.cancelled() and (crash := minding.exception()) is not None:
            log.error("rights of a turn were not looked after", exc_info=crash)
