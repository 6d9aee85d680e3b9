"""Open a file without being held up: what is no ordinary file is refused before it is touched."""

import errno
import os
import stat
from collections.abc import Mapping
from typing import Final

from agent.network.http import Refusal

_CHUNK: Final = 1 << 20
_STATUS: Final[Mapping[int, int]] = {
    errno.ENOENT: 404,
    errno.EACCES: 403,
    errno.EPERM: 403,
    errno.EROFS: 403,
    errno.EDQUOT: 507,
    errno.ENOSPC: 507,
}


def refusal(error: OSError, path: str) -> Refusal:
    """Return how to say that the system refused something about ``path``."""
    status = _STATUS.get(error.errno or 0, 400)
    words = os.strerror(error.errno).lower() if error.errno else str(error)
    return Refusal(status, f"{path}: {words}")


def absolute(path: str) -> str:
    """Return ``path``.

    Raises:
        Refusal: it is empty, not absolute, or no path at all.
    """
    if not path:
        raise Refusal(400, '"path" is required')
    if "\0" in path:
        raise Refusal(400, f"{path!r} is not a path")
    if not path.startswith("/"):
        raise Refusal(400, f'file path must be absolute: "{path}"')
    return path


def ordinary(path: str) -> os.stat_result | None:
    """Return what ``path`` is, links followed; None when there is nothing.

    Raises:
        Refusal: it is a directory, or something that is read or written only by whoever knows what
            it is: opening a device may do something, opening a pipe waits for its other end.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 — paths stay what they were on the wire
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refusal(error, path) from None
    if stat.S_ISDIR(found.st_mode):
        raise Refusal(400, f"open {path}: not a file")
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(400, f"open {path}: not a regular file")
    return found


def open_file(path: str) -> tuple[int, os.stat_result]:
    """Open an ordinary file for reading; the caller closes it. Raises ``Refusal``."""
    if ordinary(path) is None:
        raise Refusal(404, f"open {path}: no such file or directory")
    # It may have become something else since; then nothing waits, and it is closed again.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise refusal(error, path) from None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise Refusal(400, f"open {path}: not a regular file")
    return fd, found


def read_all(path: str, most: int) -> tuple[bytes, os.stat_result]:
    """Return what is in a file, and what it was when it was opened.

    Raises:
        Refusal: it is no ordinary file, or has more than ``most`` bytes; files of ``/proc`` do not
            tell how many, and some have no end.
    """
    fd, found = open_file(path)
    try:
        content = bytearray()
        while len(content) <= most and found.st_size <= most:
            piece = os.read(fd, _CHUNK)
            if not piece:
                return bytes(content), found
            content += piece
    except OSError as error:
        raise refusal(error, path) from None
    finally:
        os.close(fd)
    size = f"{found.st_size}" if found.st_size > most else f"more than {most}"
    raise Refusal(413, f"{path} has {size} bytes; {most} are the most")
