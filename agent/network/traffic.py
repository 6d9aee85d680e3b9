"""Count what goes through streams."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace

from typing_extensions import override

from agent.network.frames import Frames


@dataclass(slots=True)
class Traffic:
    """Frames and bytes since the counting began; in is towards the workspace."""

    frames_in: int = 0
    bytes_in: int = 0
    frames_out: int = 0
    bytes_out: int = 0

    def take(self) -> "Traffic":
        """Return what was counted, and begin anew."""
        taken = replace(self)
        self.frames_in = self.bytes_in = self.frames_out = self.bytes_out = 0
        return taken


class Counted(Frames):
    """``inner``, with everything that passes added to ``traffic``."""

    def __init__(self, inner: Frames, traffic: Traffic) -> None:
        self._inner = inner
        self._traffic = traffic

    @override
    async def send(self, message: bytes | str) -> None:
        await self._inner.send(message)
        self._traffic.frames_out += 1
        self._traffic.bytes_out += len(message)

    @override
    async def recv(self) -> bytes | str:
        message = await self._inner.recv()
        self._traffic.frames_in += 1
        self._traffic.bytes_in += len(message)
        return message

    @override
    async def ping(self) -> Awaitable[float]:
        return await self._inner.ping()

    @override
    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._inner.close(code, reason)

    @override
    def abort(self) -> None:
        self._inner.abort()
