"""Let work that may block run beside the event loop, in a thread that nobody has to wait for.

A file system over the network may hang for ever. The threads of asyncio's own pool are joined at
the end, so that one hung read would keep the agent from ending; these are not.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``work`` returns; raises what it raises. It goes on when the caller is gone."""
    return await _begin(lambda: work(*args, **kwargs), _nothing)


async def acquire(work: Callable[[], T], undo: Callable[[T], object]) -> T:
    """Return what ``work`` returns; if the caller is gone by then, ``undo`` gets it instead."""
    return await _begin(work, undo)


def behind(work: Callable[[], object]) -> None:
    """Start ``work``, and let nobody wait for it."""
    threading.Thread(target=work, daemon=True).start()


def _begin(work: Callable[[], T], undo: Callable[[T], object]) -> "asyncio.Future[T]":
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def succeeded(result: T) -> None:
        if done.cancelled():
            behind(lambda: undo(result))
        else:
            done.set_result(result)

    def failed(error: BaseException) -> None:
        if not done.cancelled():
            done.set_exception(error)

    def run() -> None:
        tell: Callable[[], object]
        try:
            result = work()
        except BaseException as caught:  # noqa: BLE001 — it is the caller's to handle
            error = caught
            tell = lambda: failed(error)  # noqa: E731
        else:
            tell = lambda: succeeded(result)  # noqa: E731
        with contextlib.suppress(RuntimeError):  # The loop may have closed meanwhile.
            loop.call_soon_threadsafe(tell)

    behind(run)
    return done


def _nothing(_: Any) -> None:
    """There is nothing to undo."""
