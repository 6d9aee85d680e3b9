"""Where the socket is: in a directory that is safe, instead of a dead one, never of a live one."""

import contextlib
import fcntl
import os
import socket
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LONGEST_PATH: Final = 107 if hasattr(socket, "SO_PEERCRED") else 103
"""What the system's address of a Unix socket holds, without the zero at its end."""
WAITING: Final = 1024
_DIAL_WITHIN: Final = 1.0


class NotAvailable(Exception):
    """There can be no socket at that place; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A socket that listens, and the file that it is known by."""

    path: Path
    listener: socket.socket
    file: tuple[int, int]

    def leave(self) -> None:
        """Take the file away, unless it is another's now. The caller closes the listener *then*.

        As long as it is open, the file's number belongs to no other file.
        """
        with contextlib.suppress(OSError):
            if _number(self.path) == self.file:
                self.path.unlink()


def take(path: Path) -> Place:
    """Listen at ``path``, for this user alone.

    Raises:
        NotAvailable: that cannot be.
    """
    path = path.absolute()
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        words = f"socket path {path} is too long: {length} bytes, {LONGEST_PATH} are possible"
        raise NotAvailable(words)
    try:
        _prepare(path.parent)
        with _alone(path.parent):
            _clear(path)
            return _listen(path)
    except OSError as error:
        raise NotAvailable(f"socket path {path} is not available: {error.strerror}") from error


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = folder.stat()
    others_write = info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    # With the sticky bit, as /tmp has it, nobody takes away what is another's.
    if info.st_uid not in (os.getuid(), 0) or (others_write and not info.st_mode & stat.S_ISVTX):
        raise NotAvailable(
            f"directory {folder} is not safe for the agent's socket: other users may replace what "
            "is in it. Choose another one by --socket-path, or take their right to write away"
        )


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Keep other agents of the same moment out: two could find the same dead socket."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise NotAvailable(f"socket path {path} is not available: a file is there, and no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_DIAL_WITHIN)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        except FileNotFoundError:
            return
        except TimeoutError:
            raise NotAvailable(f"socket path {path} is not available: it is busy") from None
        else:
            raise NotAvailable(f"socket path {path} is not available: an agent answers there")


def _listen(path: Path) -> Place:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.settimeout(0)
        listener.bind(str(path))
        # Nobody can connect before listen(): at no time may others.
        path.chmod(0o600)
        listener.listen(WAITING)
        return Place(path, listener, _number(path))
    except OSError:
        listener.close()
        raise


def _number(path: Path) -> tuple[int, int]:
    info = path.lstat()
    return info.st_dev, info.st_ino
