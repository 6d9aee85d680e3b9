"""Where scripts keep their data, their shared programs and their logs."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

NAME = "coder-script-data"
log = logging.getLogger("agent.scripts")


@dataclass(frozen=True, slots=True)
class Directories:
    """The places of one agent. Make one by ``prepare``."""

    data: Path
    bin: Path
    logs: Path

    @classmethod
    def prepare(cls, data_root: Path, log_dir: Path, home: Path) -> "Directories":
        """Make the directories, private to the user.

        The programs in ``bin`` come first in everybody's ``PATH``. So a directory that belongs to
        somebody else, as may well be in a shared ``/tmp``, is left alone for one under ``home``.
        """
        for root in (data_root / NAME, home / ".cache" / "coder-agent" / NAME):
            try:
                (root / "bin").mkdir(mode=0o700, parents=True, exist_ok=True)
                if _is_ours(root) and _is_ours(root / "bin"):
                    (root / "bin").chmod(0o700)
                    return cls(root, root / "bin", log_dir)
            except OSError as error:
                log.warning("scripts cannot keep data in %s: %s", root, error.strerror)
        raise PermissionError(f"scripts can keep their data neither in {data_root} nor in {home}")

    def of(self, log_source_id: UUID) -> Path:
        """Return the data directory of one script, and make it."""
        path = self.data / str(log_source_id)
        path.mkdir(mode=0o700, exist_ok=True)
        return path


def _is_ours(path: Path) -> bool:
    return path.lstat().st_uid == os.getuid()
