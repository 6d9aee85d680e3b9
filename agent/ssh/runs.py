"""A process behind an SSH session, with three pipes or with a terminal."""

import errno
import fcntl
import os
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from typing_extensions import override

from agent.kit.child import Child, Children, Launch
from agent.kit.fds import FdReader, FdWriter, widen
from agent.ssh.modes import apply_modes

Size = tuple[int, int, int, int]
"""Columns, rows, and the same in pixels, as SSH says it."""
_SIZE: Final = struct.Struct("HHHH")


class Outlet(Protocol):
    """The session's side: where output goes, and how input is held back."""

    def write_out(self, data: bytes) -> None: ...
    def write_err(self, data: bytes) -> None: ...
    def hold_input(self) -> None: ...
    def release_input(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """What to run for a session, and whom to tell how it ended."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    done: Callable[[int], None] = field(repr=False)
    """Called once with the return code, ``-N`` for signal N, when the output is complete."""


class Run(Protocol):
    """A running command."""

    child: Child

    def feed(self, data: bytes) -> None:
        """Give the process input."""
        ...

    def feed_eof(self) -> None:
        """Tell the process that there is no more input."""
        ...

    def pause(self) -> None:
        """Let the process's output wait: the client is behind."""
        ...

    def resume(self) -> None:
        """Go on after ``pause``."""
        ...

    def resize(self, size: Size) -> None:
        """Tell the process how large its terminal has become."""
        ...

    def let_go(self) -> None:
        """Close our ends: the client is gone. The caller ends the process."""
        ...


class PipeRun(Run):
    """A command without a terminal: what ``rsync``, ``git`` and editors speak through."""

    def __init__(self, command: Command, children: Children, outlet: Outlet) -> None:
        """Start the command. Raises ``OSError`` if that cannot be done."""
        self._done = command.done
        pipes = [os.pipe() for _ in range(3)]
        (stdin, ours), (out, stdout), (err, stderr) = pipes
        launch = Launch(command.argv, command.env, command.cwd, stdin, stdout, stderr)
        try:
            self.child = children.start(launch)
        except BaseException:
            for fd in (ours, out, err):
                os.close(fd)
            raise
        finally:
            for fd in (stdin, stdout, stderr):
                os.close(fd)
        widen(ours)
        widen(out)
        self._input = FdWriter(ours, outlet.hold_input, outlet.release_input)
        self._outputs = [
            FdReader(out, outlet.write_out, self._output_ended),
            FdReader(err, outlet.write_err, self._output_ended),
        ]
        self._waiting = len(self._outputs) + 1
        self.child.on_exit(self._output_ended)

    def _output_ended(self) -> None:
        # As with OpenSSH the session lasts until the process and both of its outputs have ended:
        # a background process may still have something to say.
        self._waiting -= 1
        if not self._waiting:
            self._input.close()
            assert self.child.returncode is not None
            self._done(self.child.returncode)

    @override
    def feed(self, data: bytes) -> None:
        self._input.write(data)

    @override
    def feed_eof(self) -> None:
        self._input.end()

    @override
    def pause(self) -> None:
        for output in self._outputs:
            output.pause()

    @override
    def resume(self) -> None:
        for output in self._outputs:
            output.resume()

    @override
    def resize(self, size: Size) -> None:
        """There is no terminal."""

    @override
    def let_go(self) -> None:
        self._input.close()
        for output in self._outputs:
            output.close()


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal that the client asked for."""

    kind: str
    size: Size
    modes: Mapping[int, int]


class TerminalRun(Run):
    """A command with a terminal of its own."""

    def __init__(
        self, command: Command, children: Children, outlet: Outlet, terminal: Terminal
    ) -> None:
        """Start the command. Raises ``OSError`` if that cannot be done."""
        self._done = command.done
        ours, theirs = os.openpty()
        try:
            _set_size(theirs, terminal.size)
            apply_modes(theirs, terminal.modes)
            env = {**command.env, "TERM": terminal.kind, "SSH_TTY": os.ttyname(theirs)}
            launch = Launch(command.argv, env, command.cwd, theirs, theirs, theirs, terminal=True)
            self.child = children.start(launch)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._fd = ours
        self._input = FdWriter(os.dup(ours), outlet.hold_input, outlet.release_input)
        self._output = FdReader(ours, outlet.write_out, self._output_ended)
        self._over = False
        self.child.on_exit(self._exited)

    def _output_ended(self) -> None:
        """Nothing: a process may close its terminal and go on; its exit is what counts."""

    def _exited(self) -> None:
        if self._over:
            return
        self._over = True
        # The terminal may be held open by a background process: take what is there and leave.
        self._output.drain()
        self._input.close()
        assert self.child.returncode is not None
        self._done(self.child.returncode)

    @override
    def feed(self, data: bytes) -> None:
        self._input.write(data)

    @override
    def feed_eof(self) -> None:
        """A terminal has no end; people type control-D."""

    @override
    def pause(self) -> None:
        self._output.pause()

    @override
    def resume(self) -> None:
        self._output.resume()

    @override
    def resize(self, size: Size) -> None:
        if not self._over:
            with suppress(OSError):
                _set_size(self._fd, size)

    @override
    def let_go(self) -> None:
        self._over = True
        self._input.close()
        self._output.close()


def _set_size(fd: int, size: Size) -> None:
    columns, rows, width, height = (min(each, 0xFFFF) for each in size)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, _SIZE.pack(rows, columns, width, height))


def explain(error: OSError, argv: Sequence[str]) -> str:
    """Return why a command could not be started, as a sentence."""
    if error.errno == errno.E2BIG:
        return "The command is too long."
    return f"{argv[0]} could not be started: {error.strerror}."
