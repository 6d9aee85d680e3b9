"""Whether JetBrains' editors are behind a forwarded port: they come without saying who they are.

Their backend listens in the workspace, and its command line names the vendor.
Source: reference, agent and provisioner, section 2.1.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_SIGN: Final = b"idea.vendor.name=jetbrains"
_LISTENS: Final = "0A"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""})  # noqa: S104
_REMEMBERED: Final = 256


class Detector:
    """Looks at who listens; remembers what it saw, for clients open many connections at once."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._known: dict[str, bool] = {}

    def sees(self, host: str, port: int) -> bool:
        """Say whether a JetBrains backend listens at ``port``. Reads files: call it in a thread."""
        if host.lower() not in _LOCAL:
            return False
        return any(self._is_sign(inode) for inode in self._listening(port))

    def _listening(self, port: int) -> Iterator[str]:
        wanted = f":{port:04X}"
        for table in ("net/tcp", "net/tcp6"):
            with suppress(OSError):
                for line in (self._proc / table).read_text().splitlines()[1:]:
                    words = line.split()
                    if words[1].endswith(wanted) and words[3] == _LISTENS:
                        yield words[9]

    def _is_sign(self, inode: str) -> bool:
        if inode not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[inode] = self._holder_is_sign(f"socket:[{inode}]")
        return self._known[inode]

    def _holder_is_sign(self, socket: str) -> bool:
        for process in self._proc.iterdir():
            if not process.name.isdigit():
                continue
            # Processes of others are closed to us, and any may end while we look.
            with suppress(OSError):
                if any(str(fd.readlink()) == socket for fd in (process / "fd").iterdir()):
                    return _SIGN in (process / "cmdline").read_bytes().lower()
        return False
