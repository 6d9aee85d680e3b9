"""Memory and volumes: measured as often as the server asks, told as a window of the newest.

Source: reference, agent and provisioner, section 1.12.
"""

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from agent.kit.child import within
from agent.metadata.memory import memory
from agent.upstream import CallFailed, Line, LineDown
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import (
    Datapoint,
    Empty,
    MemoryUsage,
    Method,
    Monitoring,
    Usage,
    VolumeUsage,
)

MOST_DATAPOINTS: Final = 1000
LEAST_INTERVAL: Final = 1.0
MEASURED_WITHIN: Final = 5.0
log = logging.getLogger("agent.resources")


class Gauge(Protocol):
    """What measures. Raises ``OSError`` when it cannot."""

    def memory(self) -> MemoryUsage:
        """Return how much of the workspace's memory is in use."""
        ...

    def volume(self, path: str) -> VolumeUsage:
        """Return how much of the file system at ``path`` is in use. May take long."""
        ...


class SystemGauge:
    """The machine, or the container that we are in."""

    def memory(self) -> MemoryUsage:
        """Return how much of the workspace's memory is in use."""
        return memory()

    def volume(self, path: str) -> VolumeUsage:
        """Return how much of the file system at ``path`` is in use."""
        found = os.statvfs(path)
        # What only root may still write counts as used, as ``df`` has it.
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        return VolumeUsage(path, used, used + found.f_bavail * found.f_frsize)


class ResourceMonitor:
    """Watches what the template wants to be watched. ``refresh`` on each new line."""

    def __init__(self, line: Line, clock: Clock, gauge: Gauge | None = None) -> None:
        self._line = line
        self._clock = clock
        self._gauge = gauge or SystemGauge()
        self._news = asyncio.Event()
        self._window: deque[Datapoint] = deque(maxlen=1)
        self._stuck: set[str] = set()

    def refresh(self) -> None:
        """Ask the server anew what it wants."""
        self._news.set()

    async def run(self) -> None:
        """Measure and tell for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                wanted = await self._line.call(Method.MONITORING, Empty(), Monitoring)
            except LineDown:
                continue  # The next line begins with a refresh.
            except CallFailed as no:
                log.info("no resource monitoring: %s", no)
                continue
            if _is_enabled(wanted):
                await self._watch(wanted)

    async def _watch(self, wanted: Monitoring) -> None:
        """Measure until there is news."""
        size = min(max(wanted.config.num_datapoints, 1), MOST_DATAPOINTS)
        if self._window.maxlen != size:
            self._window = deque(self._window, maxlen=size)
        pause = max(wanted.config.collection_interval_seconds, LEAST_INTERVAL)
        while not await within(self._news.wait(), pause, self._clock):
            self._window.append(await self._measure(wanted))
            if len(self._window) < size:
                continue
            try:
                await self._line.call(Method.USAGE, Usage(tuple(self._window)), Empty)
            except LineDown:
                await asyncio.sleep(0)
            except CallFailed as no:
                log.warning("the server did not take the use of resources: %s", no)
                await self._news.wait()

    async def _measure(self, wanted: Monitoring) -> Datapoint:
        at = self._clock.now()
        used: MemoryUsage | None = None
        if wanted.memory and wanted.memory.enabled:
            try:
                used = self._gauge.memory()
            except (OSError, ValueError) as error:
                log.debug("memory cannot be measured: %s", error)
        volumes = [await self._volume(volume.path) for volume in wanted.volumes if volume.enabled]
        return Datapoint(at, used, tuple(volume for volume in volumes if volume))

    async def _volume(self, path: str) -> VolumeUsage | None:
        """Measure in a thread of its own: a dead network drive answers never, not even a stop."""
        if path in self._stuck:
            return None
        self._stuck.add(path)
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        found: list[VolumeUsage] = []

        def measure() -> None:
            try:
                found.append(self._gauge.volume(path))
            except (OSError, ValueError) as error:
                log.debug("volume %s cannot be measured: %s", path, error)
            _tell(loop, lambda: (self._stuck.discard(path), done.set()))

        threading.Thread(target=measure, daemon=True, name="volume").start()
        if not await within(done.wait(), MEASURED_WITHIN, self._clock):
            log.warning("volume %s does not answer; it is not measured until it does", path)
        return found[0] if found else None


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # The agent has ended meanwhile.
        log.debug("a volume answered after the end")


def _is_enabled(wanted: Monitoring) -> bool:
    memory_wanted = wanted.memory is not None and wanted.memory.enabled
    return memory_wanted or any(volume.enabled for volume in wanted.volumes)
