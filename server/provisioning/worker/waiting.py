"""Wait for something, but not for ever, on a clock that tests can move."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from coder_cli.kit.clock import Clock


async def within(clock: Clock, seconds: float, what: Coroutine[Any, Any, object]) -> bool:
    """Wait for ``what`` at most ``seconds``; tell whether it ended. It is cancelled if not."""
    wanted = asyncio.ensure_future(what)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((wanted, timer), return_when=asyncio.FIRST_COMPLETED)
        return wanted.done()
    finally:
        wanted.cancel()
        timer.cancel()
        await asyncio.gather(wanted, timer, return_exceptions=True)
