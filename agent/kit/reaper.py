"""Orphans: nobody's processes that Linux hands to us, to be reaped, and taken along at the end.

As process 1 of a container the agent must not reap at all, or it would race its own children; so
it starts itself anew as process 2, and process 1 does nothing but reap and pass signals on. As an
ordinary process it asks Linux to be given the orphans below it: whatever was started in the
workspace is then found again when the workspace stops.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.kit.child import Children
from coder_cli.kit.clock import Clock

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 2.0
log = logging.getLogger("agent.reaper")


def is_init() -> bool:
    """Say whether we are process 1 of a Linux container."""
    return sys.platform == "linux" and os.getpid() == 1


def run_as_init(argv: Sequence[str]) -> int:
    """Run ``argv``, reap every orphan, pass on signals; return the exit code of ``argv``."""
    # A signal that comes just before a blocking wait would not end it: each one leaves a byte.
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, _noted)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    got: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
        signal.signal(number, lambda which, _: got.append(which))
    head = subprocess.Popen(argv)
    while True:
        while got:
            os.kill(head.pid, got.pop(0))
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            os.read(woken, 512)
        elif pid == head.pid:
            head.returncode = os.waitstatus_to_exitcode(status)
            return head.returncode if head.returncode >= 0 else 128 - head.returncode


def _noted(*_: object) -> None:
    """Let a signal be caught: the byte that it leaves is all that is wanted."""


def adopt_orphans() -> bool:
    """Ask to be given the orphans below us; return whether the system can do that."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def reap_orphans(known: frozenset[int]) -> None:
    """Collect ended children that are not in ``known``, up to the first that is.

    Children in ``known`` have a watcher of their own, which must not find them gone. So call this
    again when such a child has been collected.
    """
    with contextlib.suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in known:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)


async def end_descendants(clock: Clock) -> None:
    """End every process below us: ask by SIGTERM, wait a little, then kill until none is left.

    Zombies do not count; ``watch`` or our own end collects them.
    """
    _signal_all(signal.SIGTERM)
    deadline = clock.monotonic() + _PATIENCE
    while list(descendants()):
        if clock.monotonic() >= deadline:
            _signal_all(signal.SIGKILL)
        await clock.sleep(0.02)
        if clock.monotonic() >= deadline + _PATIENCE:
            log.warning("processes are left that cannot be killed")
            return


def descendants(root: int | None = None) -> Iterator[int]:
    """Yield the processes below ``root`` (ourselves), the nearer before the farther."""
    children: dict[int, list[int]] = {}
    for pid, parent, state in _processes():
        if state != "Z":
            children.setdefault(parent, []).append(pid)
    queue = [root or os.getpid()]
    for parent in queue:
        queue += children.get(parent, [])
    yield from queue[1:]


def kill_descendants() -> None:
    """Kill every process below us, without a word before."""
    _signal_all(signal.SIGKILL)


def watch(children: Children) -> None:
    """Reap orphans whenever a process below us ends; ``children`` are left to their watchers."""
    loop = asyncio.get_running_loop()

    def reap() -> None:
        reap_orphans(children.pids)

    def child_ended(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(reap)

    # Not by the loop's own handler: uvloop keeps this signal to itself.
    signal.signal(signal.SIGCHLD, child_ended)
    children.after_exit = reap


def _signal_all(number: signal.Signals) -> None:
    for pid in descendants():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _processes() -> Iterator[tuple[int, int, str]]:
    for entry in Path("/proc").iterdir() if sys.platform == "linux" else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in parentheses, may itself hold blanks and parentheses.
                rest = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                yield int(entry.name), int(rest[1]), rest[0].decode()
