"""Reports that must arrive: in order, and sent again after a lost line until they are answered."""

import asyncio
import logging
from collections import deque

from agent.upstream.line import CallFailed, Line, LineDown
from coder_cli.sdk.agentapi import Empty, Method

LIMIT = 2048
log = logging.getLogger("agent.upstream")


class Outbox:
    """A queue of reports of one kind. Above its limit the newest are dropped and counted."""

    def __init__(self, line: Line, method: Method, limit: int = LIMIT) -> None:
        self.dropped = 0
        self._line = line
        self._method = method
        self._limit = limit
        self._reports: deque[object] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._again = True

    def post(self, report: object) -> None:
        """Queue ``report``, a shape of the agent line."""
        if len(self._reports) >= self._limit:
            self.dropped += 1
            return
        self._reports.append(report)
        self._filled.set()
        self._empty.clear()

    def say_once(self) -> None:
        """From now on send nothing twice: a report whose call broke may well have been heard.

        During a shutdown it is better to miss an answer than to announce the shutdown again.
        """
        self._again = False

    async def flushed(self) -> None:
        """Wait until every report was answered."""
        await self._empty.wait()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._filled.wait()
            await self._line.up.wait()
            try:
                await self._line.call(self._method, self._reports[0], Empty)
            except LineDown as down:
                await asyncio.sleep(0)  # Let the line notice.
                if self._again or not down.sent:
                    continue
            except CallFailed as no:
                log.warning("the server did not take a %s report: %s", self._method, no)
            self._reports.popleft()
            if not self._reports:
                self._filled.clear()
                self._empty.set()
