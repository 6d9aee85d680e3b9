"""Put a new content in the place of a file at once: whoever reads sees the old or the new one."""

import contextlib
import os
import secrets
import stat
import threading
from dataclasses import dataclass, field
from pathlib import Path

from agent.files.opening import ordinary, refusal
from agent.network.http import Refusal

NEW_DIRECTORY = 0o755


@dataclass(slots=True)
class Draft:
    """A file beside the one that it will replace. ``put`` or ``discard`` ends it.

    What ``path`` is a link to is replaced, the link stays. The new file has the mode and, where we
    may give it away, the owner of the old one.
    """

    path: str
    target: str
    old: os.stat_result | None
    place: str
    fd: int
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Nobody closes the descriptor under a write that its client did not wait for."""

    @classmethod
    def begin(cls, path: str) -> "Draft":
        """Make an empty draft for ``path``, and the directories that are missing.

        Raises:
            Refusal: that cannot be, or what is at ``path`` may not be written.
        """
        target = os.path.realpath(path)
        old = ordinary(target)
        if old and not os.access(target, os.W_OK, effective_ids=True):
            raise Refusal(403, f"open {path}: permission denied")
        directory, name = os.path.split(target)
        # The name of a draft may be longer than names can be; what is cut is only for people.
        place = f"{directory}/.{name[:200]}.{secrets.token_hex(4)}.tmp"
        mode = stat.S_IMODE(old.st_mode) if old else 0o666
        try:
            Path(directory).mkdir(NEW_DIRECTORY, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            fd = os.open(place, flags, mode & 0o777)
        except OSError as error:
            raise refusal(error, path) from None
        draft = cls(path, target, old, place, fd)
        if old:
            with contextlib.suppress(OSError):
                os.fchown(fd, old.st_uid, old.st_gid)
            with contextlib.suppress(OSError):
                os.fchmod(fd, mode)
        return draft

    def write(self, content: bytes) -> None:
        """Add ``content``. Raises ``Refusal``."""
        rest = memoryview(content)
        try:
            with self._lock:
                while rest:
                    rest = rest[os.write(self.fd, rest) :]
        except OSError as error:
            raise refusal(error, self.path) from None

    def put(self) -> None:
        """Replace the file. Raises ``Refusal``."""
        try:
            with self._lock:
                os.fsync(self.fd)
                os.replace(self.place, self.target)  # noqa: PTH105 — paths stay what they were
                os.close(self.fd)
                self.fd = -1
        except OSError as error:
            raise refusal(error, self.path) from None

    def discard(self) -> None:
        """Leave everything as it was; does nothing after ``put``."""
        with self._lock:
            if self.fd < 0:
                return
            os.close(self.fd)
            self.fd = -1
            with contextlib.suppress(OSError):
                os.unlink(self.place)  # noqa: PTH108 — paths stay what they were


def same(one: os.stat_result, other: os.stat_result | None) -> bool:
    """Say whether a file is as it was."""
    return other is not None and (one.st_ino, one.st_size, one.st_mtime_ns) == (
        other.st_ino,
        other.st_size,
        other.st_mtime_ns,
    )
