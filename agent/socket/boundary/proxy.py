"""The socket of boundaries: takes batches, keeps a hundred, and forwards them on the line."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from agent.network.http import Content, Request, Table
from agent.socket.boundary.counts import Counts, Loss
from agent.socket.boundary.wire import HEADER, BadFrame, Message, Status, header, message
from agent.socket.place import NotAvailable, Place, take
from agent.upstream import CallFailed, LineDown
from coder_cli.sdk.agentapi.boundary import BoundaryLogs

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
MOST_BATCHES: Final = 100
MOST_BOUNDARIES: Final = 100
log = logging.getLogger("agent.boundary")


class Upstream(Protocol):
    """Where batches go: the line to the server."""

    up: asyncio.Event


class BoundaryProxy:
    """Listens for boundaries as long as the agent lives. What cannot be kept is counted."""

    def __init__(
        self,
        places: Sequence[str],
        line: Upstream,
        tell: Callable[[BoundaryLogs], Awaitable[object]],
    ) -> None:
        self.counts = Counts()
        self._places = places
        self._place: Place | None = None
        self._line = line
        self._tell = tell
        self._batches: asyncio.Queue[BoundaryLogs] = asyncio.Queue(MOST_BATCHES)
        self._boundaries = 0

    @property
    def path(self) -> str:
        """Return where boundaries find us; empty while they do not."""
        return str(self._place.path) if self._place else ""

    def open(self) -> None:
        """Take the first of our places that can be had."""
        for path in self._places:
            try:
                self._place = take(Path(path))
            except NotAvailable as no:
                log.info("accesses of boundaries are not taken there: %s", no)
            else:
                return

    def mount(self, table: Table) -> None:
        """Show the counters in the agent's API."""
        table.add("GET", "/metrics", self._show)

    async def run(self) -> None:
        """Serve and forward for ever."""
        place = self._place
        if place is None:
            return
        server = await asyncio.start_unix_server(self._serve, sock=place.listener)
        try:
            await self._forward()
        finally:
            place.leave()
            self._place = None
            server.close()

    async def _show(self, _: Request) -> Content:
        return Content(_one(self.counts.exposition().encode()), _PROMETHEUS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._boundaries += 1
        try:
            if self._boundaries <= MOST_BOUNDARIES:
                await self._read(reader)
        except (asyncio.IncompleteReadError, OSError):
            return
        except BadFrame as bad:
            log.warning("a boundary said what cannot be read: %s", bad)
        except asyncio.CancelledError:
            # This is the end of the task. Python 3.11 logs one that was cancelled as an error.
            return
        finally:
            self._boundaries -= 1
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            tag, length = header(await reader.readexactly(HEADER))
            self._take(message(tag, await reader.readexactly(length)))

    def _take(self, said: Message) -> None:
        match said:
            case BoundaryLogs():
                try:
                    self._batches.put_nowait(said)
                except asyncio.QueueFull:
                    self.counts.drop(Loss.BUFFER_FULL, len(said.logs))
            case Status():
                self.counts.lost_before(Loss.CHANNEL_FULL, said.dropped_channel_full)
                self.counts.lost_before(Loss.BATCH_FULL, said.dropped_batch_full)
            case None:
                log.debug("a boundary sent a message of an unknown kind")

    async def _forward(self) -> None:
        while True:
            batch = await self._batches.get()
            await self._line.up.wait()
            news = self.counts.news()
            try:
                await self._tell(replace(batch, dropped=news))
            except LineDown as down:
                log.debug("a batch of a boundary was lost: %s", down)
                self.counts.drop(Loss.FORWARD_FAILED, len(batch.logs))
                await asyncio.sleep(0)  # Let the line notice.
            except CallFailed as no:
                log.warning("the server did not take a batch of a boundary: %s", no)
                self.counts.drop(Loss.FORWARD_FAILED, len(batch.logs))
            else:
                self.counts.forwarded += 1
                self.counts.tell(news)


async def _one(text: bytes) -> AsyncGenerator[bytes, None]:
    yield text
