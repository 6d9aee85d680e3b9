"""The state of a workspace in a work directory: put there, and taken out whatever happened."""

import json
import os
from contextlib import suppress
from pathlib import Path

STATE = "terraform.tfstate"
SURVIVORS = ("errored.tfstate", STATE, f"{STATE}.backup")
"""Where a state may be, best first: terraform writes the first when it cannot write the second."""
_DRAFT = ".coder-state"


def place(work_dir: Path, state: bytes | None) -> None:
    """Make this the only state in a work directory, in which a lost run may have been before.

    What that run left goes last: until then it may be all that is known of what exists.

    Raises:
        OSError: it cannot be written.
    """
    if state:
        write_private(work_dir / _DRAFT, state)
        (work_dir / _DRAFT).replace(work_dir / STATE)
    for name in SURVIVORS:
        if name != STATE or not state:
            (work_dir / name).unlink(missing_ok=True)


def surviving(work_dir: Path) -> bytes | None:
    """Return the newest whole state in a work directory."""
    for name in SURVIVORS:
        path = work_dir / name
        with suppress(OSError, ValueError):
            if path.is_symlink() or not path.is_file():
                continue
            content = path.read_bytes()
            if isinstance(json.loads(content), dict):
                return content
    return None


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that nobody else may read.

    Raises:
        OSError: it cannot be written.
    """
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
