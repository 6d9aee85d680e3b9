"""What goes wrong on the server's own host, in words for the one who can mend it."""

import errno

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM = ("no space left on device", "disk quota exceeded")
_OURS = _FULL | {errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


def is_ours(error: BaseException) -> bool:
    """Tell whether an error is the host's fault, and no file's or archive's."""
    return isinstance(error, OSError) and error.errno in _OURS


def words(error: OSError, where: object) -> str:
    """Return what happened, where, and what to do about it."""
    if error.errno in _FULL:
        return full(where)
    if error.errno == errno.ETXTBSY:
        return f"{error.filename} is being replaced at this moment. Try again."
    file = error.filename or where
    return f"The server cannot work in {file}: {error.strerror or error}."


def full(where: object) -> str:
    """Return what to do about a full disk."""
    return (
        f"The disk of the server is full: {where} has no room left. Free some space there, "
        "then try again."
    )


def is_full(summary: str, detail: str) -> bool:
    """Tell whether terraform complains of a file of its own for which the host has no room.

    A template's own programs may find other disks full, and those are not ours to judge.
    """
    ours = "plan file" in summary or "state" in summary
    return ours and any(words in detail for words in _NO_ROOM)
