"""Terminals of an agent that knows who it is, and clients that look at them."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent.daemon.terminals import prepare
from agent.kit.child import Children
from agent.network.frames import Ended
from agent.processes import Environment
from agent.pty import PtyOptions, Terminals
from coder_cli.sdk.agentapi import ConnectionReport
from tests.agent.control_plane import manifest_of
from tests.agent.frames import End
from tests.agent.pty.judge import Judge
from tests.support.clock import FakeClock

PATIENCE = 20.0


def first_words(**init: Any) -> bytes:
    """Return how a client begins."""
    words = json.dumps(init).encode()
    return len(words).to_bytes(2, "little") + words


@dataclass
class Viewer:
    """One client and its terminal."""

    end: End
    task: "asyncio.Task[None]"
    judge: Judge
    heard: bytearray = field(default_factory=bytearray)
    over: Ended | None = None
    mute: bool = False
    """Only count: pyte is slow."""

    async def say(self, data: str = "", **size: int) -> None:
        """Send keys, or a size."""
        await self.end.send(json.dumps({"data": data, **size}).encode())

    async def until(self, condition: Callable[[], object]) -> None:
        """Take what comes until ``condition`` holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                message = await self.end.recv()
                assert isinstance(message, bytes)
                self.heard += message
                if not self.mute:
                    self.judge.feed(message)

    async def sees(self, text: str) -> None:
        """Wait until ``text`` is on the screen."""
        await self.until(lambda: any(text in row for row in self.judge.text))

    async def ended(self) -> tuple[int, str] | None:
        """Wait until the terminal is over; return the code and the reason."""
        try:
            await self.until(lambda: False)
        except Ended as over:
            self.over = over
        await self.task
        return self.end.other.closed_with

    async def leave(self) -> None:
        """Close the window."""
        await self.end.close()
        async with asyncio.timeout(PATIENCE):
            await self.task


@dataclass
class Room:
    """Terminals, their clock, and what was reported of them."""

    terminals: Terminals
    clock: FakeClock
    children: Children
    reports: list[ConnectionReport]

    def dial(self) -> Viewer:
        """Open a stream without a word."""
        ours, theirs = End.pair()
        task = asyncio.ensure_future(self.terminals.serve(theirs))
        return Viewer(ours, task, Judge())

    async def join(
        self,
        identity: UUID | None = None,
        command: str = "",
        backend: str = "buffered",
        **more: Any,
    ) -> Viewer:
        """Look at a terminal, which is made if there is none."""
        size: dict[str, int] = {"Height": 24, "Width": 80}
        viewer = self.dial()
        words: dict[str, Any] = {"ID": str(identity or uuid4()), "Command": command}
        words |= {"BackendType": backend, **size, **more}
        viewer.judge = Judge(words["Width"], words["Height"])
        await viewer.end.send(first_words(**words))
        return viewer


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Terminals at work."""
    clock = FakeClock()
    children = Children(clock)
    base = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", "SHELL": "/bin/sh"}
    environment = Environment(base, "token", "/opt/coder", tmp_path / "bin", manifest_of())
    prepared = partial(prepare, environment)
    reports: list[ConnectionReport] = []
    # The path of a socket has to fit into a hundred bytes.
    directory = Path("/tmp", f"pty{uuid4().hex[:12]}")
    terminals = Terminals(PtyOptions(prepared, children, clock, reports.append, directory))
    running = asyncio.ensure_future(terminals.run())
    yield Room(terminals, clock, children, reports)
    await terminals.end_all()
    await terminals.close()
    await running
    ending = asyncio.ensure_future(children.end_all())
    while not ending.done():
        await clock.advance(1)
    shutil.rmtree(directory, ignore_errors=True)
