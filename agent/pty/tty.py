"""A process on a pseudo terminal."""

import fcntl
import os
import signal as signals
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from agent.kit.child import Children, Launch
from agent.kit.fds import FdReader, FdWriter
from agent.pty.options import Command
from coder_cli.kit.clock import Clock

_SIZE: Final = struct.Struct("HHHH")


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears of it."""

    on_data: Callable[[bytes], None]
    on_exit: Callable[[int], None]
    """Called once, with the return code (``-N`` for signal N), when all output was given."""
    on_full: Callable[[], None]
    on_room: Callable[[], None]
    """The process does not read what it is given; it does again."""


class Tty:
    """A running process and our end of its terminal."""

    def __init__(
        self, command: Command, children: Children, size: tuple[int, int], ears: Ears
    ) -> None:
        """Start it. Raises ``OSError`` if that cannot be done."""
        self._ears = ears
        ours, theirs = os.openpty()
        try:
            _set_size(theirs, size)
            launch = Launch(
                command.argv, command.env, command.cwd, theirs, theirs, theirs, terminal=True
            )
            self.child = children.start(launch)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._fd = ours
        self._over = False
        self._input = FdWriter(os.dup(ours), ears.on_full, ears.on_room)
        self._output = FdReader(ours, ears.on_data, self._output_ended)
        self.child.on_exit(self._exited)

    def feed(self, data: bytes) -> None:
        """Give the process input."""
        self._input.write(data)

    def resize(self, size: tuple[int, int]) -> None:
        """Tell the process its new size in columns and rows."""
        if not self._over:
            with suppress(OSError):
                _set_size(self._fd, size)

    def pause(self) -> None:
        """Let the output wait in the process."""
        self._output.pause()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._output.resume()

    async def end(self, clock: Clock) -> None:
        """Hang up, and kill what does not go; nobody is told any more."""
        self._over = True
        self._input.close()
        self._output.close()
        await self.child.end(signals.SIGHUP, clock)

    def _output_ended(self) -> None:
        """Nothing: a process may close its terminal and go on; its exit is what counts."""

    def _exited(self) -> None:
        if self._over:
            return
        self._output.drain()
        self._over = True
        self._input.close()
        assert self.child.returncode is not None
        self._ears.on_exit(self.child.returncode)


def _set_size(fd: int, size: tuple[int, int]) -> None:
    columns, rows = size
    fcntl.ioctl(fd, termios.TIOCSWINSZ, _SIZE.pack(rows, columns, 0, 0))
