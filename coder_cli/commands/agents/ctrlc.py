"""Ctrl-c as a wish that a turn be interrupted, instead of the end of everything."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class CtrlC:
    """How often the person pressed it; the second time leaves at once."""

    count: int = 0

    @contextmanager
    def heard(self) -> Generator["CtrlC"]:
        """Count instead of breaking off, for as long as this lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = signal.signal(signal.SIGINT, self._hear)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def _hear(self, *_: object) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt
