"""What one run of a job says, buffered until it is written in batches."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from coder_cli.kit.clock import Clock
from server.provisioning.model import LOG_LIMIT, Fitted, Line, Veil
from server.terraform import LogLevel


class JobConsole:
    """The console of one run."""

    def __init__(self, job_id: UUID, work_dir: Path, clock: Clock) -> None:
        self.job_id = job_id
        self.work_dir = work_dir
        self.recovered: bytes | None = None
        self.cancelled = asyncio.Event()
        self.spoke = asyncio.Event()
        """Set while there are lines to write."""
        self._clock = clock
        self._lines: list[Line] = []
        self._buffered = 0
        self._cut_lines = 0
        self._cut_bytes = 0
        self._veil = Veil()

    def conceal(self, secrets: Iterable[str]) -> None:
        """Let none of these be read in what follows."""
        self._veil.hide(secrets)

    def concealed(self, text: str) -> str:
        """Return a text in which no secret of this run can be read."""
        return self._veil.over(text)

    def log(self, level: LogLevel, stage: str, output: str, *, source: str = "provisioner") -> None:
        """Take one line."""
        line = Line(self._clock.now(), source, level, stage, self.concealed(output))
        if self._buffered > LOG_LIMIT:
            # More than a whole log is waiting to be written: nothing of this line would be kept.
            self._count(1, line.size)
            return
        self._lines.append(line)
        self._buffered += line.size
        self.spoke.set()

    def take(self) -> list[Line]:
        """Return the lines that wait, and forget them."""
        lines, self._lines = self._lines, []
        self._buffered = 0
        self.spoke.clear()
        return lines

    def give_back(self, lines: list[Line]) -> None:
        """Put lines back in front: they could not be written."""
        self._lines = lines + self._lines
        self._buffered = sum(line.size for line in self._lines)
        self.spoke.set()

    def written(self, fitted: Fitted) -> None:
        """Learn what of the taken lines was kept."""
        self._count(fitted.cut_lines, fitted.cut_bytes)

    @property
    def cut(self) -> tuple[int, int]:
        """Return how many lines and bytes did not fit into the log."""
        return self._cut_lines, self._cut_bytes

    def _count(self, lines: int, size: int) -> None:
        self._cut_lines += lines
        self._cut_bytes += size
