"""Send log lines to the server: the first at once, then a batch a second."""

import asyncio
import logging
from uuid import UUID

from agent.kit.child import within
from agent.upstream.line import CallFailed, Line, LineDown
from agent.upstream.logqueue import LIMIT, LogQueue
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import LogLevel, LogLine, Logs, LogsStored, Method

EVERY = 1.0
log = logging.getLogger("agent.upstream")


class LogSender:
    """Take lines from anywhere, never block, lose nothing silently."""

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._queue = LogQueue()
        self._filled = asyncio.Event()
        self._hurry = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._flushing = False

    def log(self, source_id: UUID, level: LogLevel, output: str) -> None:
        """Queue one line of a source; when there is no room it is dropped and counted."""
        if self._queue.add(source_id, LogLine(self._clock.now(), output, level)):
            self._filled.set()
            self._empty.clear()
        if self._queue.size > LIMIT // 2:
            self._hurry.set()

    async def flush(self) -> None:
        """Wait until everything queued has been answered; from now on there are no pauses."""
        self._flushing = True
        self._hurry.set()
        await self._empty.wait()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._filled.wait()
            for batch in self._queue.batches():
                await self._send(batch)
            for source_id, lost in self._queue.losses():
                words = f"{lost} lines are missing here: they came faster than they could be sent."
                self.log(source_id, LogLevel.WARN, words)
            if not self._queue.size:
                self._filled.clear()
                self._empty.set()
            if not self._flushing:
                await within(self._hurry.wait(), EVERY, self._clock)
                self._hurry.clear()

    async def _send(self, batch: Logs) -> None:
        while True:
            await self._line.up.wait()
            try:
                answer = await self._line.call(Method.LOGS, batch, LogsStored)
            except LineDown:
                await asyncio.sleep(0)  # Let the line notice.
            except CallFailed as no:
                log.warning("the server did not take %d log lines: %s", len(batch.logs), no)
                answer = LogsStored()
                break
            else:
                break
        self._queue.sent(batch)
        if answer.log_limit_exceeded:
            self._queue.refuse(batch.log_source_id)
            log.warning("log source %s has reached the server's limit", batch.log_source_id)
