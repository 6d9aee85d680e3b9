"""File transfer: asyncssh's SFTP server, rooted at home, and the policy that may forbid it all."""

import os
import shlex
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final, cast

import asyncssh
from asyncssh.stream import SSHServerStreamSession
from typing_extensions import override

BLOCKED_EXIT: Final = 65
BLOCKED_WORDS: Final = "File transfer has been disabled."
_COPIERS: Final = frozenset({"nc", "rsync", "scp", "sftp"})
_SFTP_VERSION: Final = 3


class HomeSftp(asyncssh.SFTPServer):
    """Serves the file system as the user sees it; relative paths begin at home."""

    def __init__(self, chan: "asyncssh.SSHServerChannel[bytes]", home: str) -> None:
        super().__init__(chan)  # pyright: ignore[reportUnknownMemberType] — loosely typed there
        self._home = os.fsencode(home)
        self._exit = chan.exit

    @override
    def map_path(self, path: bytes) -> bytes:
        return os.path.join(self._home, path)  # noqa: PTH118 — bytes, as the wire has them

    @override
    def exit(self) -> None:
        # Without an exit status, OpenSSH's scp calls a finished copy a failure.
        self._exit(0)


def transfer_session(home: str) -> "SSHServerStreamSession[bytes]":
    """Return a session that serves ``sftp``, and ``scp`` by its old protocol."""

    def serve(channel: "asyncssh.SSHServerChannel[bytes]") -> HomeSftp:
        return HomeSftp(channel, home)

    # Its annotation says any channel, but only a server's ever comes.
    factory = cast("Callable[[object], HomeSftp]", serve)
    return SSHServerStreamSession[bytes](None, factory, _SFTP_VERSION, allow_scp=True)


def is_transfer(command: str) -> bool:
    """Say whether ``command`` copies files, going by its first word as the policy does."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return bool(words) and PurePosixPath(words[0]).name in _COPIERS
