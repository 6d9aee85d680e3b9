"""Run one terraform command: its own session, its lines as they come, and a way to stop it."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from server.terraform.door import Cancellation
from server.terraform.streams import Child, Program

PID_FILE = "terraform.pid"
_CHUNK = 1 << 16
_LONGEST_LINE = 64 << 20
"""A state that terraform cannot write comes as one line."""
_STDERR_KEPT = 8192
_DRAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, and how patient to be when it is told to stop."""

    binary: Path
    arguments: Sequence[str]
    directory: Path
    env: Mapping[str, str]
    patience: float
    """Seconds between the interrupt and the kill."""
    aside: Callable[[str], None] | None = None
    """Takes the lines of its error output, besides their end being kept."""
    outlives_us: bool = False
    """It finishes in order when this server is killed meanwhile."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended."""

    code: int
    stderr: str
    canceled: bool = False
    killed: bool = False
    """It did not stop in time."""


async def run(command: Command, line: Callable[[str], None], cancelled: Cancellation) -> Exit:
    """Run a command and hand over each line of its output; stop it when that is asked for.

    Cancelling the calling task stops terraform in the same way before it is raised again.
    """
    if cancelled.is_set():
        return Exit(code=-1, stderr="", canceled=True)
    process = await _started(command)
    pid_file = command.directory / PID_FILE
    _write_pid(pid_file, process.pid)
    running = _Running(process, command)
    try:
        stderr = await running.follow(line, cancelled)
    except BaseException:
        await asyncio.shield(running.stop())
        raise
    finally:
        pid_file.unlink(missing_ok=True)
        await asyncio.shield(process.close())
    return Exit(process.returncode or 0, stderr, running.stopped, running.killed)


async def _started(command: Command) -> Child:
    """Start a command; whoever is cancelled meanwhile leaves no process behind."""
    words = [os.fspath(command.binary), *command.arguments]
    program = Program(words, command.directory, command.env, command.outlives_us)
    starting = asyncio.ensure_future(Child.start(program))

    async def undo() -> None:
        child = await starting
        await _Running(child, command).stop()
        await child.close()

    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.shield(undo())
        raise


class _Running:
    def __init__(self, process: Child, command: Command) -> None:
        self._process = process
        self._command = command
        self._stderr = _Tail(command.aside)
        self.stopped = False
        self.killed = False

    async def follow(self, line: Callable[[str], None], cancelled: Cancellation) -> str:
        """Pass the lines on until the process ends; return the end of its error output."""
        async with asyncio.TaskGroup() as group:
            out = group.create_task(_lines(self._process.stdout, line))
            err = group.create_task(_lines(self._process.stderr, self._stderr.line))
            watch = group.create_task(self._stop_when(cancelled))
            await self._process.wait()
            # Whatever inherited the pipes may outlive terraform; its words are nobody's.
            _, late = await asyncio.wait([out, err], timeout=_DRAIN_SECONDS)
            for task in (*late, watch):
                task.cancel()
        return self._stderr.text

    async def stop(self) -> None:
        """Interrupt the process, wait, then kill everything in its session's group."""
        if self._process.returncode is not None:
            return
        self.stopped = True
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(self._command.patience):
                await self._process.wait()
        except TimeoutError:
            self.killed = True
        # Terraform ends its own children, but not theirs.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _stop_when(self, cancelled: Cancellation) -> None:
        await cancelled.wait()
        await asyncio.shield(self.stop())


def _write_pid(path: Path, pid: int) -> None:
    try:
        started = psutil.Process(pid).create_time()
        path.write_text(json.dumps({"pid": pid, "started": started}))
    except (psutil.Error, OSError):
        return  # It ended already, or the disk is full; a sweep also finds it by its directory.


async def _lines(stream: asyncio.StreamReader, line: Callable[[str], None]) -> None:
    rest = b""
    while chunk := await stream.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for text in whole:
            line(text.decode(errors="replace"))
        if len(rest) > _LONGEST_LINE:
            rest = b""
    if rest:
        line(rest.decode(errors="replace"))


class _Tail:
    """Keeps the end of what is said."""

    def __init__(self, aside: Callable[[str], None] | None) -> None:
        self._aside = aside
        self._kept = ""

    def line(self, text: str) -> None:
        self._kept = f"{self._kept}{text}\n"[-_STDERR_KEPT:]
        if self._aside is not None:
            self._aside(text)

    @property
    def text(self) -> str:
        return self._kept.strip()
