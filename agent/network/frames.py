"""What the rest of the agent knows of a WebSocket: it carries frames both ways, and it ends."""

from collections.abc import Awaitable
from typing import Protocol


class Frames(Protocol):
    """An open connection of frames; ``websockets`` has one."""

    async def send(self, message: bytes | str) -> None:
        """Send one frame; wait while the other end is behind."""
        ...

    async def recv(self) -> bytes | str:
        """Return the next frame. Raises ``Ended`` when there will be none."""
        ...

    async def ping(self) -> Awaitable[float]:
        """Send a ping, and return a future of the seconds until its pong."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say good-bye and close."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...


class Ended(Exception):
    """The connection is over; the message says how."""

    def __init__(self, how: str, *, clean: bool = False) -> None:
        super().__init__(how)
        self.clean = clean
        """Both sides said good-bye; nothing was lost."""
