"""One client of a terminal: what it is sent, and what it says."""

import asyncio
from collections.abc import Callable
from typing import Final

from agent.network import Frames
from agent.pty.wire import Init, Reader, Said
from coder_cli.sdk.agentapi import FRAME

BEHIND: Final = 256 * 1024
"""Unsent bytes from which on a client counts as slow."""
LOST: Final = 1 << 20
"""Unsent bytes that are thrown away: it gets the screen anew instead."""
_LAST_WORDS: Final = 64 * 1024


class Client:
    """A stream to somebody who looks at a terminal."""

    def __init__(self, frames: Frames, init: Init) -> None:
        self.init = init
        self.lost = False
        """It was too slow, and waits for the screen anew."""
        self.on_room: Callable[[], None] = _nothing
        """Called when all was sent."""
        self.ending: tuple[int, str] | None = None
        """How the terminal ended, once it has: an exit code, and a sentence or nothing."""
        self._frames = frames
        self._out = bytearray()
        self._wake = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()

    @property
    def behind(self) -> bool:
        """Say whether more waits for this client than a quick one would leave."""
        return self.lost or len(self._out) > BEHIND

    def show(self, data: bytes) -> None:
        """Send output, when the client takes it."""
        if self.lost:
            return
        self._out += data
        if len(self._out) > LOST:
            self.lost = True
            self._out.clear()
        self._wake.set()

    def finish(self, code: int, words: str = "") -> None:
        """End the stream after what was shown is sent."""
        if self.ending is None:
            self.ending = (code, words)
            self._wake.set()

    def hold(self) -> None:
        """Take no more keys: the process does not read them."""
        self._may_read.clear()

    def release(self) -> None:
        """Go on after ``hold``."""
        self._may_read.set()

    async def talk(self, hear: Callable[[Said], None], rest: bytes) -> None:
        """Carry both directions until the terminal ends.

        Raises:
            Ended: the client has gone.
            BadWord: it does not speak our language.
        """
        listening = asyncio.ensure_future(self._listen(hear, rest))
        sending = asyncio.ensure_future(self._send())
        try:
            await asyncio.wait({listening, sending}, return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, listening):
                if task.done():
                    task.result()
                    return
        finally:
            for task in (listening, sending):
                task.cancel()
            await asyncio.gather(listening, sending, return_exceptions=True)

    async def _listen(self, hear: Callable[[Said], None], rest: bytes) -> None:
        reader = Reader()
        data: bytes | str = rest
        while True:
            if isinstance(data, bytes):
                for said in reader.feed(data):
                    hear(said)
            await self._may_read.wait()
            data = await self._frames.recv()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._out:
                frame = bytes(memoryview(self._out)[:FRAME])
                await self._frames.send(frame)
                # Only now: what is being sent is still waiting, too.
                del self._out[: len(frame)]
            if self.ending is not None:
                return
            self.on_room()


def _nothing() -> None:
    """Nobody waits for room."""
