"""What a replica is told, and by whom it is watched; light, for processes that only watch."""

import gc
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from server.cli.listeners import Listener
from server.settings import Settings

GRACE = 10
"""Seconds that open requests, WebSockets and running jobs may take to end."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replica needs to know; it travels to a process of its own."""

    settings: Settings
    dsn: str
    access_url: str
    listeners: tuple[Listener, ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Moments:
    """What to do when: hooks of whoever runs replicas."""

    ready: Callable[[], None]
    """Requests are answered."""
    stopping: Callable[[], None]
    """The first signal to stop has come."""
    force: Callable[[], None]
    """The second one has; this ends the process and does not return."""


def stop_signals() -> list[signal.Signals]:
    """Return what stops the server: ctrl-c, kill, and the terminal's end unless under nohup."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


def load_replica() -> None:
    """Import everything that a replica is made of: most of the time that a start takes."""
    # A fifth of it would go into looking for garbage among what stays for ever.
    gc.disable()
    try:
        import_module("server.cli.replica")
    finally:
        gc.enable()
    gc.freeze()
