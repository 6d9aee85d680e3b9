"""Hear from the server that the workspace, made in advance for nobody, is somebody's now.

Source: reference, agent and provisioner, section 1.14. The agent that misses the word finds another
owner in its next manifest; this only lets it know at once.
"""

import contextlib
import json
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

from agent.kit.child import within
from agent.network import Answered, NoAnswer
from agent.upstream.backoff import Backoff
from coder_cli.kit.clock import Clock

CLAIMED: Final = "prebuild_claimed"
NOBODY: Final = "prebuilds"
"""Who owns a workspace until it is claimed."""
SILENT_FOR: Final = 60.0
"""The server gives a sign of life every 15 s."""
_LONGEST_LINE: Final = 64 * 1024
Ask: TypeAlias = Callable[[], AbstractAsyncContextManager[Answered]]
log = logging.getLogger("agent.upstream")


async def until_claimed(ask: Ask, clock: Clock) -> None:
    """Return when the server says that the workspace was claimed; ask for as long as it takes."""
    backoff = Backoff()
    while True:
        try:
            async with ask() as answer:
                if answer.status == 200:
                    backoff.succeeded()
                    async for reason in _reasons(_alive(answer.chunks(), clock)):
                        if reason == CLAIMED:
                            return
        except NoAnswer as error:
            log.debug("nobody says whether the workspace was claimed: %s", error)
        await clock.sleep(backoff.failed(random.random()))  # noqa: S311 — spreads the load


async def _alive(chunks: AsyncGenerator[bytes, None], clock: Clock) -> AsyncGenerator[bytes, None]:
    """Yield ``chunks``; a server that is silent for long is gone, whatever the connection says."""
    while True:
        came: list[bytes] = []

        async def read(came: list[bytes] = came) -> None:
            with contextlib.suppress(NoAnswer, StopAsyncIteration):
                came.append(await anext(chunks))

        await within(read(), SILENT_FOR, clock)
        if not came:
            raise NoAnswer("the server fell silent")
        yield came[0]


async def _reasons(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """Yield why to begin anew, of each event that says so; pings and nonsense are passed over."""
    kind = ""
    async for line in _lines(chunks):
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data" and kind == "data":
            yield _reason(value)
        elif not line:
            kind = ""


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r").decode(errors="replace")
        if len(rest) > _LONGEST_LINE:
            raise NoAnswer("a line of the answer has no end")


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["reason"])
    except (ValueError, KeyError, TypeError):
        return ""
