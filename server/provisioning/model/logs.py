"""What a job says, and how much of it is kept. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

LOG_LIMIT = 1024 * 1024
"""Bytes of log kept for each job."""

DAEMON = "provisioner_daemon"
"""The source of lines that the worker itself says."""

FULL = "[The log of this job is full (1 MiB). What follows is left out.]"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a job's log, not stored yet."""

    created_at: datetime
    source: str
    level: str
    stage: str
    output: str

    @property
    def size(self) -> int:
        """Return how many bytes of the limit this line takes, its end included."""
        return len(self.output.encode()) + 1


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One line of a job's log, as stored."""

    id: int
    job_id: UUID
    created_at: datetime
    source: str
    level: str
    stage: str
    output: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """What of some lines fits below the limit."""

    lines: tuple[Line, ...]
    length: int
    overflowed: bool
    cut_lines: int = 0
    cut_bytes: int = 0


def fit(lines: Sequence[Line], length: int, *, overflowed: bool = False) -> Fitted:
    """Keep the lines that fit after ``length`` bytes; the first that does not ends it."""
    kept: list[Line] = []
    cut_lines = cut_bytes = 0
    for line in lines:
        if overflowed or length + line.size > LOG_LIMIT:
            cut_lines, cut_bytes = cut_lines + 1, cut_bytes + line.size
            if not overflowed:
                kept.append(replace(line, source=DAEMON, level="warn", output=FULL))
            overflowed = True
            continue
        kept.append(line)
        length += line.size
    return Fitted(tuple(kept), length, overflowed, cut_lines, cut_bytes)


def left_out(lines: int, size: int) -> str:
    """Return the sentence that says how much was cut."""
    return f"[{lines} lines ({size} bytes) were left out of this log.]"
