"""What every backend of a terminal is."""

import signal as signals
from abc import ABC, abstractmethod
from collections.abc import Callable

from agent.pty.client import Client
from agent.pty.wire import Said
from coder_cli.kit.clock import Clock


class Session(ABC):
    """A terminal that outlives its clients."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.clients: set[Client] = set()
        self.over = False
        """Its process has ended."""
        self.on_over: Callable[[], None] = _nothing

    @abstractmethod
    def join(self, client: Client) -> None:
        """Let a client see the terminal, as it is now. May raise ``OSError``."""

    @abstractmethod
    def leave(self, client: Client) -> None:
        """Forget a client that has gone."""

    @abstractmethod
    def hear(self, client: Client, said: Said) -> None:
        """Take keys and sizes of a client."""

    @abstractmethod
    async def end(self) -> None:
        """End the process."""


def describe(code: int) -> tuple[int, str]:
    """Return the exit code that is reported for a return code, and what is to be said of it."""
    if code >= 0:
        return code, f"process exited with error status: {code}" if code else ""
    return 128 - code, f"process killed by {signals.Signals(-code).name}"


def _nothing() -> None:
    """Nobody asked to be told."""
