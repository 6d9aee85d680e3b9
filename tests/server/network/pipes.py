"""Channels in memory, for tests of the relay without sockets."""

import asyncio

from server.network import Closed


class MemoryChannel:
    """One end; what is sent here is received at ``other``, one frame at a time."""

    def __init__(self) -> None:
        self.other: MemoryChannel = self
        self.closed: Closed | None = None
        self.ended = asyncio.Event()
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(1)

    async def receive(self) -> bytes:
        receiving = asyncio.ensure_future(self._inbox.get())
        ending = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait({receiving, ending}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                return receiving.result()
            assert self.closed
            raise self.closed
        finally:
            receiving.cancel()
            ending.cancel()

    async def send(self, frame: bytes) -> None:
        if self.closed:
            raise self.closed
        await self.other._inbox.put(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        for end in (self, self.other):
            if end.closed is None:
                end.closed = Closed(code, reason)
                end.ended.set()


def pair() -> tuple[MemoryChannel, MemoryChannel]:
    """Return two ends of one stream."""
    one, other = MemoryChannel(), MemoryChannel()
    one.other, other.other = other, one
    return one, other
