"""Dial-back: the server names a stream and a port, the agent dials and joins the two."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from agent.kit import memory
from agent.network import (
    Counted,
    Dialer,
    Frames,
    NobodyListens,
    Traffic,
    Unreachable,
    connect_local,
    join_tcp,
)
from agent.network.frames import Ended
from coder_cli.sdk import agentapi
from coder_cli.sdk.agentapi import Json, Open, StreamClose

Serve: TypeAlias = Callable[[Frames], Awaitable[None]]
"""A service of the agent: lives as long as its stream."""
log = logging.getLogger("agent.streams")


class Streams:
    """All byte streams between the workspace and the world. Owns their tasks."""

    def __init__(self, dialer: Dialer, services: Mapping[int, Serve]) -> None:
        self._dialer = dialer
        self._services = services
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._traffic = Traffic()

    @property
    def count(self) -> int:
        """Return how many streams are open now."""
        return len(self._tasks)

    def take_traffic(self) -> Traffic:
        """Return what went through since the last time."""
        return self._traffic.take()

    async def run(self) -> None:
        """Own the streams until ``close``; then end them."""
        async with self._group:
            await self._closing.wait()
            for task in self._tasks:
                task.cancel()

    def close(self) -> None:
        """Take no more streams, and end those that are open."""
        self._closing.set()

    async def open(self, params: Mapping[str, Json]) -> agentapi.Empty:
        """Answer the server's ``open`` at once; the stream itself follows."""
        wanted = agentapi.from_json(Open, params)
        if not self._closing.is_set():
            task = self._group.create_task(self._serve(wanted))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        return agentapi.Empty()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not self._tasks:
            memory.trim()

    async def _serve(self, wanted: Open) -> None:
        try:
            if wanted.port in self._services:
                frames = await self._dial(wanted)
                await self._services[wanted.port](frames)
            else:
                await self._serve_tcp(wanted)
        except Unreachable as error:
            log.warning("a stream to port %d could not be dialled: %s", wanted.port, error)
        except Ended as end:
            log.info("a stream to port %d ended: %s", wanted.port, end)
        except Exception:  # One broken stream must not end the agent.
            log.exception("a stream to port %d failed", wanted.port)

    async def _dial(self, wanted: Open) -> Frames:
        return Counted(await self._dialer.stream(wanted.stream_id), self._traffic)

    async def _serve_tcp(self, wanted: Open) -> None:
        try:
            reader, writer = await connect_local(wanted.port)
        except NobodyListens as nobody:
            frames = await self._dial(wanted)
            await frames.close(StreamClose.UNREACHABLE, str(nobody))
            return
        try:
            frames = await self._dial(wanted)
        except Unreachable:
            writer.close()
            raise
        await join_tcp(frames, reader, writer)
