"""A line whose server is the test itself, in memory and with a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent.network import Frames
from agent.upstream.line import Handler, Line
from coder_cli.sdk.agentapi import Empty, Json
from tests.agent.frames import End
from tests.support.clock import FakeClock, settle


@dataclass
class Desk:
    """The server's side. Each dial of the agent puts a new end into ``dialled``."""

    clock: FakeClock = field(default_factory=FakeClock)
    troubles: list[Exception] = field(default_factory=list[Exception])
    dials: int = 0
    greetings: int = 0
    end: End | None = None
    greeting_troubles: list[Exception] = field(default_factory=list[Exception])
    handlers: dict[str, Handler] = field(default_factory=dict[str, Handler])
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.handlers["ping"] = self._pong
        self.line = Line(
            self._dial,
            self.clock,
            handlers=self.handlers,
            greet=self._greet,
            luck=lambda: 1.0,
        )

    async def _dial(self) -> Frames:
        self.dials += 1
        if self.troubles:
            raise self.troubles.pop(0)
        ours, self.end = End.pair()
        return ours

    async def _greet(self) -> None:
        self.greetings += 1
        if self.greeting_troubles:
            raise self.greeting_troubles.pop(0)

    async def _pong(self, params: Any) -> object:
        return Empty()

    async def hear(self) -> Json:
        """Return the agent's next message."""
        await settle()
        assert self.end is not None
        async with asyncio.timeout(10):
            return await self.end.json()

    async def say(self, text: str) -> None:
        """Send the agent a frame."""
        assert self.end is not None
        await self.end.send(text)
        await settle()

    async def answer(self, message: Json, result: Json) -> None:
        """Answer a call of the agent."""
        import json

        await self.say(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}))

    async def refuse(self, message: Json, words: str) -> None:
        """Answer a call of the agent with no."""
        import json

        error = {"code": -32000, "message": words}
        await self.say(json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk whose line is up."""
    desk = Desk()
    task = asyncio.ensure_future(desk.line.run())
    await settle()
    yield desk
    task.cancel()
    await asyncio.wait({task})
