"""One process that was started through the API: its group, its output, its end."""

import asyncio
import os
import signal
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from agent.kit.child import Child, Children, Launch, within
from agent.kit.fds import FdReader
from agent.processes.headtail import Excerpt, HeadTail
from agent.processes.priority import Priority
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi.processes import UNKNOWN_EXIT, StartProcess

WAIT_DELAY: Final = 5.0
"""How long the output of a process that has ended may be held open by what it left behind."""


class Running:
    """A process and what it printed; also after its end."""

    def __init__(self, wanted: StartProcess, chat: UUID | None, started_at: datetime) -> None:
        self.id = uuid4()
        self.wanted = wanted
        self.chat = chat
        self.workdir = wanted.workdir
        self.started_at = started_at
        self.ended_at: datetime | None = None
        self.exit_code: int | None = None
        self.ended = asyncio.Event()
        self._buffer = HeadTail()
        self._silent = asyncio.Event()
        self._child: Child
        self._reader: FdReader

    def start(self, launch: Launch, children: Children, priority: Priority | None) -> None:
        """Start it, with standard output and error on one pipe, so that their order is kept.

        Raises:
            OSError: the system cannot; the object is of no use then.
            ValueError: there is a NUL in what was asked for.
        """
        ours, theirs = os.pipe()
        argv = priority.wrap(launch.argv) if priority else launch.argv
        launch = Launch(argv, launch.env, launch.cwd, stdout=theirs, stderr=theirs)
        try:
            self._child = children.start(launch)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self.workdir = launch.cwd
        self._reader = FdReader(ours, self._buffer.write, self._silent.set)

    async def attend(self, clock: Clock) -> None:
        """Wait for its end, and for the rest of its output for at most ``WAIT_DELAY``."""
        try:
            code = await self._child.wait()
            await within(self._silent.wait(), WAIT_DELAY, clock)
        finally:
            self._reader.close()
        self.exit_code = code if code >= 0 else UNKNOWN_EXIT
        self.ended_at = clock.now()
        self.ended.set()

    @property
    def running(self) -> bool:
        """Say whether it, or what holds its output open, is still there."""
        return not self.ended.is_set()

    @property
    def pid(self) -> int:
        """Return its id, which is its group's too."""
        return self._child.pid

    def output(self) -> Excerpt:
        """Return what it has printed so far."""
        return self._buffer.read(ended=not self.running)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and all that it started, as far as that did not leave its group."""
        self._child.signal(number)

    async def end(self, clock: Clock) -> None:
        """Ask all of its group to go; kill what is there when the grace is over."""
        self.signal(signal.SIGTERM)
        await within(self.ended.wait(), WAIT_DELAY, clock)
        self.signal(signal.SIGKILL)
        await self.ended.wait()
