"""The world outside the event loop: processes and files, which have no event to await."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

PATIENCE = 20.0


async def until(condition: Callable[[], object]) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nothing outside rings a bell
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Say whether the process runs; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != b"Z"


def memory_of(pid: int) -> int:
    """Return the resident bytes of the process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def words_of(path: Path) -> list[str]:
    """Return the words of the file, none if it is not there yet."""
    return path.read_text().split() if path.exists() else []
