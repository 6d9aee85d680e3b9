"""Files that git does not know yet, as diffs. Reads files; run it in a thread."""

import os
import stat
from typing import Final

from agent.git.diff import LARGEST_FILE, LARGEST_TOTAL, Patch, addition, file_too_large

MOST_LOOKED_AT: Final = 50_000
_HEADER: Final = 40
"""Bytes of a diff's header beside the names, at least."""


def add_untracked(root: str, listed: bytes, patch: Patch) -> None:
    """Add what ``git ls-files --others -z`` listed in ``root`` to ``patch``."""
    # A name with a slash at its end is a repository of its own.
    names = [name for name in listed.split(b"\0") if name and not name.endswith(b"/")]
    base = os.fsencode(root)
    least = sum(2 * len(name) + _HEADER for name in names)
    if patch.size + least > LARGEST_TOTAL:
        # Nothing of it can be shown, so no file is opened; their size is worth a look.
        looked = names[:MOST_LOOKED_AT]
        patch.skip(least + sum(_size(os.path.join(base, name)) for name in looked))  # noqa: PTH118 - bytes
        return
    for name in names:
        _add(os.path.join(base, name), name, patch)  # noqa: PTH118 - bytes


def _size(path: bytes) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _add(path: bytes, name: bytes, patch: Patch) -> None:
    try:
        about = os.lstat(path)
        if stat.S_ISLNK(about.st_mode):
            patch.add(addition(name, b"120000", os.readlink(path)))  # noqa: PTH115 - bytes
        elif not stat.S_ISREG(about.st_mode):
            return
        elif about.st_size > LARGEST_FILE:
            patch.add(file_too_large(name, about.st_size, new=True))
        elif patch.too_large:
            patch.skip(about.st_size)
        else:
            mode = b"100755" if about.st_mode & stat.S_IXUSR else b"100644"
            patch.add(addition(name, mode, _content(path)))
    except OSError:
        return  # Gone, or not ours to read.


def _content(path: bytes) -> bytes:
    # Meanwhile it may have become a pipe, which must not block, or a link to elsewhere.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError("no file any more")
        return file.read(LARGEST_FILE)
