"""Child processes, each the head of a session of its own, none of which outlives the agent."""

import asyncio
import contextlib
import fcntl
import os
import signal as signals
import subprocess
import termios
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from coder_cli.kit.clock import Clock

GRACE = 5.0
"""How long a process may take to go after it was asked to, in seconds."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start: a command, its surroundings, and the three descriptors it gets."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.DEVNULL
    stderr: int = subprocess.DEVNULL
    terminal: bool = False
    """``stdin`` is a terminal, which becomes the controlling one."""


class Child:
    """A running process and its group."""

    def __init__(self, launch: Launch) -> None:
        """Start it.

        Raises:
            OSError: there is no such program or directory, or it may not be run.
        """
        self._popen = subprocess.Popen(
            list(launch.argv),
            env=dict(launch.env),
            cwd=launch.cwd,
            stdin=launch.stdin,
            stdout=launch.stdout,
            stderr=launch.stderr,
            start_new_session=True,
            restore_signals=True,
            preexec_fn=_take_terminal if launch.terminal else None,  # noqa: PLW1509 — see there
        )
        self.pid = self._popen.pid
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._on_exit: list[Callable[[], None]] = []
        self._watch()

    @property
    def returncode(self) -> int | None:
        """Return the exit code, ``-N`` when signal N killed it, or None while it runs."""
        return self._popen.returncode

    async def wait(self) -> int:
        """Wait for the process itself, not for its children; return its code."""
        await self._gone.wait()
        assert self._popen.returncode is not None
        return self._popen.returncode

    def on_exit(self, call: Callable[[], None]) -> None:
        """Call ``call`` when the process has ended."""
        self._on_exit.append(call)

    def signal(self, number: int) -> None:
        """Send signal ``number`` to the whole group; a group that is gone is fine."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def end(self, first: signals.Signals, clock: Clock, grace: float = GRACE) -> None:
        """Ask the group to go by ``first``, and kill it when its head is there after ``grace``.

        Group members that outlive the head chose so (``nohup``), and are left alone.
        """
        self.signal(first)
        if not await within(self._gone.wait(), grace, clock):
            self.signal(signals.SIGKILL)
            await self._gone.wait()

    def _watch(self) -> None:
        opener = getattr(os, "pidfd_open", None)
        if opener is not None:
            with contextlib.suppress(OSError):  # Sandboxes forbid the call: use the thread.
                pidfd: int = opener(self.pid)
                self._loop.add_reader(pidfd, self._reap, pidfd)
                return
        threading.Thread(target=self._wait_in_thread, daemon=True).start()

    def _wait_in_thread(self) -> None:
        self._popen.wait()
        with contextlib.suppress(RuntimeError):  # The loop may have closed meanwhile.
            self._loop.call_soon_threadsafe(self._ended)

    def _reap(self, pidfd: int) -> None:
        if self._popen.poll() is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
            self._ended()

    def _ended(self) -> None:
        self._gone.set()
        for call in self._on_exit:
            call()


class Children:
    """All processes that the agent started, so that it can take them along when it goes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._alive: dict[int, Child] = {}
        self.after_exit: Callable[[], None] | None = None
        """Called after each process that was collected."""

    def start(self, launch: Launch) -> Child:
        """Start a process and remember it. Raises what ``Child`` raises."""
        child = Child(launch)
        self._alive[child.pid] = child
        child.on_exit(lambda: self._forget(child))
        return child

    @property
    def pids(self) -> frozenset[int]:
        """Return the processes that were started here and have not been reaped."""
        return frozenset(self._alive)

    async def end_all(self) -> None:
        """Hang up on every group, and kill what does not listen."""
        alive = list(self._alive.values())
        await asyncio.gather(*(child.end(signals.SIGHUP, self._clock) for child in alive))

    def _forget(self, child: Child) -> None:
        self._alive.pop(child.pid, None)
        if self.after_exit:
            self.after_exit()


async def within(
    something: Coroutine[object, object, object], seconds: float, clock: Clock
) -> bool:
    """Wait for ``something`` for at most ``seconds`` of ``clock``; return whether it came."""
    wanted = asyncio.ensure_future(something)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({wanted, timer}, return_when=asyncio.FIRST_COMPLETED)
        return wanted.done()
    finally:
        for task in (wanted, timer):
            task.cancel()


def _take_terminal() -> None:
    """Make the new process's standard input its controlling terminal.

    Runs between fork and exec. That is only safe because it touches nothing but one system call
    on modules loaded long before.
    """
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
