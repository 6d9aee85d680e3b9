"""A clock that moves only when a test says so."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count


class FakeClock:
    """Time for tests: ``advance`` wakes whoever slept long enough."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._order = count()
        self._lain_down = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.Event()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), wake))
        self._lain_down.set()
        await wake.wait()

    async def advance(self, seconds: float) -> None:
        """Move on by ``seconds``, waking sleepers in their order."""
        end = self._elapsed + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, wake = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            wake.set()
            await settle()
        self._elapsed = end
        await settle()

    async def wake_within(self, seconds: float) -> None:
        """Wait until somebody sleeps for at most ``seconds`` more, then move on by that much."""
        while not any(due <= self._elapsed + seconds for due, _, _ in self._sleepers):
            self._lain_down.clear()
            await self._lain_down.wait()
        await self.advance(seconds)


async def settle(rounds: int = 20) -> None:
    """Let every task that can run do so."""
    for _ in range(rounds):
        await asyncio.sleep(0)
