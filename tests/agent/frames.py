"""A connection of frames in memory: what one end sends the other receives."""

import asyncio
import json
from collections.abc import Awaitable

from typing_extensions import override

from agent.network.frames import Ended, Frames
from coder_cli.sdk.agentapi import Json


class End(Frames):
    """One end. ``End.pair()`` makes two."""

    def __init__(self) -> None:
        self.other: End
        self.inbox: asyncio.Queue[bytes | str | Ended] = asyncio.Queue()
        self.over: Ended | None = None
        self.closed_with: tuple[int, str] | None = None
        self.answers_pings = True

    @classmethod
    def pair(cls) -> "tuple[End, End]":
        """Return two connected ends."""
        one, two = cls(), cls()
        one.other, two.other = two, one
        return one, two

    @override
    async def send(self, message: bytes | str) -> None:
        if self.over:
            raise self.over
        self.other.inbox.put_nowait(message)
        await asyncio.sleep(0)

    @override
    async def recv(self) -> bytes | str:
        if self.over and self.inbox.empty():
            raise self.over
        message = await self.inbox.get()
        if isinstance(message, Ended):
            self.over = message
            raise message
        return message

    @override
    async def ping(self) -> Awaitable[float]:
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if self.other.answers_pings:
            pong.set_result(0.001)
        return pong

    @override
    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed_with = self.closed_with or (code, reason)
        self._end(Ended(f"{code} {reason}", clean=code == 1000))

    @override
    def abort(self) -> None:
        self._end(Ended("broken"))

    def _end(self, how: Ended) -> None:
        for end in (self, self.other):
            if end.over is None:
                end.inbox.put_nowait(how)
        self.over = self.over or how

    async def json(self) -> Json:
        """Return the next message."""
        return json.loads(await self.recv())
