"""Pump bytes through file descriptors on the event loop: pipes and terminals of child processes.

asyncio's own pipe transports do not take a terminal on every platform, and give no word when the
far end has gone while there is still output to read. These two classes are all that is needed.
"""

import asyncio
import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Callable

CHUNK = 256 * 1024
HIGH_WATER = 256 * 1024
"""Above this many unwritten bytes a writer asks its source to pause."""


class FdReader:
    """Call ``on_data`` with what arrives at ``fd``, then ``on_end`` once. Owns ``fd``."""

    def __init__(
        self, fd: int, on_data: Callable[[bytes], None], on_end: Callable[[], None]
    ) -> None:
        self._fd = fd
        self._on_data = on_data
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._reading = False
        os.set_blocking(fd, False)
        self.resume()

    def pause(self) -> None:
        """Leave what arrives in the kernel, so that the sender feels it."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Go on after ``pause``."""
        if self._open and not self._reading:
            self._reading = True
            self._loop.add_reader(self._fd, self._ready)

    def drain(self) -> None:
        """Take what has arrived already, wait for nothing, and end.

        For a terminal whose shell is gone: a background process may hold it open for ever.
        """
        while self._open and self._take():
            pass
        self._end()

    def close(self) -> None:
        """Stop reading without a word to anybody."""
        if self._open:
            self.pause()
            self._open = False
            os.close(self._fd)

    def _ready(self) -> None:
        self._take()

    def _take(self) -> bool:
        try:
            data = os.read(self._fd, CHUNK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:  # EIO is how a terminal says that nobody holds its other end.
            data = b""
        if data:
            self._on_data(data)
        else:
            self._end()
        return bool(data)

    def _end(self) -> None:
        if self._open:
            self.close()
            self._on_end()


class FdWriter:
    """Write to ``fd`` without blocking, and keep what does not fit yet. Owns ``fd``.

    ``on_full`` and ``on_room`` tell the source to pause and to go on. When the reader at the other
    end has gone, further bytes are dropped: the process has said that it does not want them.
    """

    def __init__(self, fd: int, on_full: Callable[[], None], on_room: Callable[[], None]) -> None:
        self._fd = fd
        self._on_full = on_full
        self._on_room = on_room
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._full = False
        self._ending = False
        self._open = True
        os.set_blocking(fd, False)

    def write(self, data: bytes) -> None:
        """Send ``data`` after all that was given before."""
        if not self._open or self._ending:
            return
        rest = memoryview(data)
        if not self._waiting:
            rest = rest[self._put(rest) :]
            if not rest or not self._open:
                return
            self._loop.add_writer(self._fd, self._ready)
        self._waiting.append(rest)
        self._size += len(rest)
        if self._size > HIGH_WATER and not self._full:
            self._full = True
            self._on_full()

    def end(self) -> None:
        """Close ``fd`` once everything is written: the reader sees an end of file."""
        self._ending = True
        if not self._waiting:
            self.close()

    def close(self) -> None:
        """Close ``fd`` now and drop what is unwritten."""
        if not self._open:
            return
        self._open = False
        if self._waiting:
            self._loop.remove_writer(self._fd)
            self._waiting.clear()
        os.close(self._fd)
        self._relax()

    def _ready(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            count = self._put(first)
            if not self._open:
                return
            self._size -= count
            if count < len(first):
                self._waiting[0] = first[count:]
                break
            self._waiting.popleft()
        if not self._waiting:
            self._loop.remove_writer(self._fd)
            if self._ending:
                self.close()
        if self._size <= HIGH_WATER // 4:
            self._relax()

    def _put(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self.close()
            return 0

    def _relax(self) -> None:
        if self._full:
            self._full = False
            self._on_room()


def widen(fd: int) -> None:
    """Let the pipe ``fd`` hold 1 MiB where the kernel allows it; bulk copies need fewer wakes."""
    size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if size is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, size, 1 << 20)
