"""Collect the template's values at their intervals, and tell them in batches."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from agent.metadata.run import Start, run
from agent.metadata.schedule import TICK, Schedule, time_limit
from agent.upstream import CallFailed, Line, LineDown
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import (
    Empty,
    MetadataResult,
    MetadataSource,
    MetadataUpdate,
    MetadataValue,
    Method,
)

MOST_AT_ONCE: Final = 32
"""Scripts that run at the same time; the others wait for one of them."""
MOST_KEY_BYTES: Final = 6144
"""Of one report; the server refuses more."""
MOST_VALUE_BYTES: Final = 256 * 1024
log = logging.getLogger("agent.metadata")


class Metadata:
    """Values of a workspace. ``know`` what the template wants, then ``run`` for ever."""

    def __init__(self, line: Line, clock: Clock, start: Start) -> None:
        self._line = line
        self._clock = clock
        self._start = start
        self._schedule = Schedule()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._news = asyncio.Event()
        self._filled = asyncio.Event()
        self._waiting: dict[str, MetadataResult] = {}

    def know(self, sources: Sequence[MetadataSource]) -> None:
        """Take what the template wants to be collected."""
        self._schedule.know(sources)
        self._news.set()

    async def run(self) -> None:
        """Collect and report for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            while True:
                self._news.clear()
                for source in self._schedule.due(self._clock.monotonic()):
                    group.create_task(self._collect(source))
                if self._schedule.finished:
                    await self._news.wait()
                else:
                    await self._clock.sleep(TICK)

    async def _collect(self, source: MetadataSource) -> None:
        try:
            async with self._room:
                result = await run(source.script, time_limit(source), self._start, self._clock)
        finally:
            self._schedule.ended(source.key)
        self._waiting[source.key] = result
        self._filled.set()

    async def _report(self) -> None:
        """Tell what has come, once a second at most, one call after the other."""
        next_at = self._clock.monotonic()
        while True:
            await self._filled.wait()
            await self._clock.sleep(next_at - self._clock.monotonic())
            next_at = self._clock.monotonic() + TICK
            await self._line.up.wait()
            batch = self._take()
            try:
                await self._line.call(Method.METADATA, MetadataUpdate(batch), Empty)
            except LineDown:
                for value in batch:  # A newer value of a key has taken the old one's place.
                    self._waiting.setdefault(value.key, value.result)
                self._filled.set()
            except CallFailed as no:
                log.warning("the server did not take %d values: %s", len(batch), no)

    def _take(self) -> tuple[MetadataValue, ...]:
        """Take what fits one report off the waiting values, the oldest first."""
        taken: list[MetadataValue] = []
        keys = values = 0
        for key, result in list(self._waiting.items()):
            keys += len(key.encode())
            values += len(result.value.encode())
            if taken and (keys > MOST_KEY_BYTES or values > MOST_VALUE_BYTES):
                break
            taken.append(MetadataValue(key, self._waiting.pop(key)))
        if not self._waiting:
            self._filled.clear()
        return tuple(taken)
