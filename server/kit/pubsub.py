"""Hear what other transactions announced: bells to wake up by, mailboxes and taps for messages.

One listening connection for each replica. Notifications may be lost while it reconnects, so every
bell rings once after a reconnect, and whoever waits on one also polls slowly.
"""

import asyncio
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, LiteralString

import structlog
from psycopg import OperationalError

from coder_cli.kit.clock import Clock, SystemClock
from server.kit.db import Connection, DatabaseUnreachable, connect

log = structlog.get_logger()

LISTEN: LiteralString = "LISTEN coder"
"""The channel of ``facts.CHANNEL``; an identifier cannot be a parameter."""

MAILBOX_SIZE = 256
"""Messages a slow reader may lag behind before the oldest are dropped, and counted."""


class Bell:
    """A coalescing wake-up: any number of rings before a wait are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits, now or next."""
        self._event.set()

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait for a ring; return False when ``timeout`` seconds passed without one."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Mailbox:
    """A bounded queue of facts, oldest first; a full one drops its oldest."""

    def __init__(self, size: int = MAILBOX_SIZE) -> None:
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(size)
        self.dropped = 0

    def put(self, fact: dict[str, Any]) -> None:
        """Add ``fact``, dropping the oldest one when full."""
        if self._queue.full():
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(fact)

    async def get(self) -> dict[str, Any]:
        """Wait for the next fact."""
        return await self._queue.get()


Heard = Callable[[dict[str, Any] | None], None]
"""Takes a fact at once; None says that some may have been lost. It neither waits nor raises."""


class Pubsub:
    """Deliver announced facts to this process's bells, mailboxes and taps, by topic."""

    def __init__(self, dsn: str, clock: Clock | None = None) -> None:
        self._dsn = dsn
        self._clock = clock or SystemClock()
        self._bells: dict[str, set[Bell]] = {}
        self._boxes: dict[str, set[Mailbox]] = {}
        self._taps: dict[str, set[Heard]] = {}
        self.listening = asyncio.Event()

    @contextmanager
    def bell(self, *topics: str) -> Generator[Bell]:
        """Listen to ``topics`` with a bell. Re-read the rows after each ring."""
        bell = Bell()
        for topic in topics:
            self._bells.setdefault(topic, set()).add(bell)
        try:
            yield bell
        finally:
            for topic in topics:
                _leave(self._bells, topic, bell)

    @contextmanager
    def mailbox(self, *topics: str) -> Generator[Mailbox]:
        """Listen to ``topics`` with a mailbox of facts."""
        box = Mailbox()
        for topic in topics:
            self._boxes.setdefault(topic, set()).add(box)
        try:
            yield box
        finally:
            for topic in topics:
                _leave(self._boxes, topic, box)

    @contextmanager
    def tap(self, topic: str, heard: Heard) -> Generator[None]:
        """Call ``heard`` with every fact of ``topic``, in the moment it comes.

        For those who keep an account of versions, and need no task to look at each fact.
        """
        self._taps.setdefault(topic, set()).add(heard)
        try:
            yield
        finally:
            _leave(self._taps, topic, heard)

    def deliver(self, payload: str) -> None:
        """Hand one notification to whoever listens to its topics."""
        try:
            message = json.loads(payload)
            topics, fact = list(message["topics"]), dict(message["fact"])
        except (ValueError, KeyError, TypeError):
            log.warning("unreadable notification", length=len(payload))
            return
        for topic in topics:
            for bell in tuple(self._bells.get(topic, ())):
                bell.ring()
            for box in tuple(self._boxes.get(topic, ())):
                box.put(fact)
            for heard in tuple(self._taps.get(topic, ())):
                heard(fact)

    async def run(self) -> None:
        """Listen for ever; reconnect when the database went away."""
        delay = 0.1
        while True:
            try:
                connection = await connect(self._dsn)
                delay = 0.1
                await self._listen(connection)
            except (DatabaseUnreachable, OperationalError) as error:
                self.listening.clear()
                log.warning("listening for facts was interrupted", error=str(error).strip())
            await self._clock.sleep(delay)
            delay = min(delay * 2, 5.0)

    async def _listen(self, connection: Connection) -> None:
        async with connection:
            await connection.execute(LISTEN)
            self.listening.set()
            self._ring_all()
            async for notification in connection.notifies():
                self.deliver(notification.payload)

    def _ring_all(self) -> None:
        for bells in self._bells.values():
            for bell in bells:
                bell.ring()
        for taps in tuple(self._taps.values()):
            for heard in tuple(taps):
                heard(None)


def _leave(listeners: dict[str, set[Any]], topic: str, who: object) -> None:
    members = listeners.get(topic)
    if members is not None:
        members.discard(who)
        if not members:
            del listeners[topic]
