"""The part of the SSH server that is there from the start; it fetches the engine when needed."""

import asyncio
import importlib
from typing import TYPE_CHECKING

from agent.network import Frames
from agent.ssh.options import SshOptions

if TYPE_CHECKING:
    from agent.ssh.server import Server

ENGINE = "agent.ssh.server"


class SshDoor:
    """Lets streams in. Nothing listens: every stream was authorized by the server."""

    def __init__(self, options: SshOptions) -> None:
        self._options = options
        self._server: Server | None = None
        self._loading = asyncio.Lock()
        self._closed = asyncio.Event()
        self._group = asyncio.TaskGroup()

    @property
    def sessions(self) -> dict[str, int]:
        """Return how many sessions are open, by connection type."""
        return self._server.count() if self._server else {}

    async def warm(self) -> None:
        """Load the engine, so that the first client does not wait for it."""
        async with self._loading:
            if self._server is None:
                engine = await asyncio.to_thread(importlib.import_module, ENGINE)
                self._server = await engine.Server.start(self._options, self._group.create_task)

    async def serve(self, frames: Frames) -> None:
        """Serve one SSH connection until it ends."""
        await self.warm()
        assert self._server is not None
        await self._server.serve(frames)

    async def run(self) -> None:
        """Own the tasks that outlive their session, until ``close``."""
        async with self._group:
            await self._closed.wait()

    async def close(self) -> None:
        """Take no more clients; hang up on the sessions, and wait a little for them."""
        if self._server:
            await self._server.close()
        self._closed.set()
