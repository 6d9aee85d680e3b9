"""Who changes a file waits for whoever is changing it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

T = TypeVar("T")


class Locks:
    """One lock for each path that somebody changes now."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()
        self._changes: set[asyncio.Future[Any]] = set()

    async def change(self, paths: Iterable[str], work: Callable[[], Awaitable[T]]) -> T:
        """Return what ``work`` returns, which changes ``paths``; real ones, links followed.

        It goes on to its end when whoever asked hangs up: nobody wants half of a change, and the
        next one begins after it.
        """
        change = asyncio.ensure_future(self._hold(sorted(set(paths)), work))
        self._changes.add(change)
        change.add_done_callback(self._ended)
        return await asyncio.shield(change)

    async def _hold(self, paths: Iterable[str], work: Callable[[], Awaitable[T]]) -> T:
        # All take them in one order: nobody waits in a ring.
        async with AsyncExitStack() as stack:
            for path in paths:
                lock = self._locks.setdefault(path, asyncio.Lock())
                self._users[path] += 1
                stack.callback(self._leave, path)
                await stack.enter_async_context(lock)
            return await work()

    def _ended(self, change: "asyncio.Future[Any]") -> None:
        self._changes.discard(change)
        if not change.cancelled():
            change.exception()  # There may be nobody left to hear it.

    def _leave(self, path: str) -> None:
        self._users[path] -= 1
        if not self._users[path]:
            del self._users[path]
            del self._locks[path]
