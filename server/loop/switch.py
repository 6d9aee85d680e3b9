"""Stopping a turn from outside, with a cause, at any of its waits but not while it stores."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


class Interrupt(Exception):
    """The turn was stopped. A stream may raise it as well; ``cause`` says why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Switch:
    """What a turn is stopped with: whoever runs it keeps this, and calls ``stop``.

    A cancellation of the task itself is something else: the turn is dropped, and stores nothing
    but what it was storing.
    """

    def __init__(self) -> None:
        self.cause: str | None = None
        """Why the turn was stopped; None while it may go on."""
        self._task: asyncio.Task[object] | None = None
        self._thrown = False

    def stop(self, cause: str) -> None:
        """Stop the turn; the first cause stands. Returns at once, ``run`` returns soon."""
        if self.cause is not None:
            return
        self.cause = cause
        if self._task is not None:
            self._thrown = True
            self._task.cancel()

    @asynccontextmanager
    async def armed(self) -> AsyncGenerator[None]:
        """Let ``stop`` break what is awaited inside.

        Raises:
            Interrupt: it was stopped, now or before.
        """
        if self.cause is not None:
            raise Interrupt(self.cause)
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        self._task = task
        try:
            yield
        except asyncio.CancelledError:
            if not self._thrown:
                raise
            await self._absorb(task, before)
            raise Interrupt(self.cause or "") from None
        except BaseException:
            await self._absorb(task, before)
            raise
        else:
            await self._absorb(task, before)
        finally:
            self._task = None
            self._thrown = False

    async def _absorb(self, task: asyncio.Task[object], before: int) -> None:
        """Take a stop back, also one that came too late to be raised, or that somebody swallowed.

        Raises:
            CancelledError: the task itself was cancelled as well, which counts more.
        """
        if not self._thrown:
            return
        with suppress(asyncio.CancelledError):
            # What was not yet raised is raised at the next wait: here, rather than later.
            await asyncio.sleep(0)
        if task.uncancel() > before:
            raise asyncio.CancelledError
