"""Endless loops with an owner: started together, restarted when they crash, stopped together."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from coder_cli.kit.clock import Clock, SystemClock

log = structlog.get_logger()

Loop = Callable[[], Awaitable[None]]


class Workers:
    """The background work of one replica; ``app`` adds loops, the server runs them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._loops: dict[str, Loop] = {}
        self.restarts = 0

    def add(self, name: str, loop: Loop) -> None:
        """Have ``loop`` run for as long as the server does."""
        self._loops[name] = loop

    async def run(self) -> None:
        """Run every loop until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, loop in self._loops.items():
                group.create_task(self._keep(name, loop), name=name)

    async def _keep(self, name: str, loop: Loop) -> None:
        delay = 0.5
        while True:
            began = self._clock.monotonic()
            try:
                await loop()
            except Exception:
                log.exception("background work crashed and will be restarted", worker=name)
            self.restarts += 1
            lived = self._clock.monotonic() - began
            delay = 0.5 if lived > 60 else min(delay * 2, 30.0)
            await self._clock.sleep(delay)
