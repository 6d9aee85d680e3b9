"""``--workers N``: N equal replicas behind one socket, watched over by this process."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType

import structlog

from coder_cli.kit.refused import Refused
from server.cli.plan import GRACE, Moments, Replica, load_replica, stop_signals
from server.kit import logs

log = structlog.get_logger()

_FIRST_START = 60.0
_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY = 60.0


@dataclass(slots=True)
class _Worker:
    number: int
    process: SpawnProcess
    said: Connection
    began: float
    pause: float = _PAUSE


@dataclass(slots=True)
class Workers:
    """The replicas of this machine and their processes."""

    replica: Replica
    count: int
    _running: list[_Worker] = field(default_factory=list[_Worker])
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, moments: Moments) -> None:
        """Serve until SIGTERM or SIGINT; bring back replicas that die.

        Raises:
            Refused: a replica does not start.
        """
        self._on_signals(moments)
        try:
            self._running = [self._start(number) for number in range(self.count)]
            for worker in self._running:
                self._await_first(worker)
            if not self._stopping.is_set():
                moments.ready()
            while not self._stopping.is_set():
                self._watch()
        finally:
            self._end()

    def _start(self, number: int, pause: float = _PAUSE) -> _Worker:
        context = multiprocessing.get_context("spawn")
        said, tell = context.Pipe(duplex=False)
        process = context.Process(
            target=_work,
            args=(replace(self.replica, number=number), tell),
            name=f"replica {number}",
        )
        process.start()
        tell.close()
        return _Worker(number, process, said, time.monotonic(), pause)

    def _await_first(self, worker: _Worker) -> None:
        try:
            if not worker.said.poll(_FIRST_START):
                raise Refused(f"Replica {worker.number} was not ready after {_FIRST_START:.0f} s.")
            refusal = worker.said.recv()
        except EOFError:
            if self._stopping.is_set():
                return
            raise Refused(f"Replica {worker.number} ended while it started.") from None
        if refusal:
            raise Refused(refusal)

    def _watch(self) -> None:
        """Wait a moment for a death among the replicas, and bring the dead back."""
        wait([worker.process.sentinel for worker in self._running], timeout=0.5)
        for place, worker in enumerate(self._running):
            if worker.process.is_alive() or self._stopping.is_set():
                continue
            lived = time.monotonic() - worker.began
            pause = _PAUSE if lived > _STEADY else min(worker.pause * 2, _LONGEST_PAUSE)
            log.error(
                "a replica ended and is started again",
                worker=worker.number,
                exit=worker.process.exitcode,
                after_seconds=pause,
            )
            worker.said.close()
            if not self._stopping.wait(pause):
                self._running[place] = self._start(worker.number, pause)

    def _end(self) -> None:
        for worker in self._running:
            worker.process.terminate()
        deadline = time.monotonic() + GRACE + 10
        for worker in self._running:
            worker.process.join(max(0.1, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def kill(self) -> None:
        """End every replica, now."""
        for worker in self._running:
            worker.process.kill()

    def _on_signals(self, moments: Moments) -> None:
        def caught(_: int, __: FrameType | None) -> None:
            if self._stopping.is_set():
                self.kill()
                moments.force()
            else:
                self._stopping.set()
                moments.stopping()

        for number in stop_signals():
            signal.signal(number, caught)


def _work(replica: Replica, tell: Connection) -> None:
    """Be one replica; the process's main function."""
    # These reach the whole group of the terminal; only the parent decides what they mean.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    logs.configure(replica.settings, replica.number)
    load_replica()
    from server.cli import replica as one

    def ready() -> None:
        with suppress(OSError):
            tell.send("")

    moments = Moments(ready, stopping=lambda: None, force=lambda: os._exit(1))
    try:
        one.run(replica, moments, signals=[signal.SIGTERM])
    except Refused as refused:
        with suppress(OSError):
            tell.send(str(refused))
        sys.exit(1)


def _follow_parent() -> None:
    """Stop when the parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
