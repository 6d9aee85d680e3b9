"""A provisioner's job as it runs: its stages with their times, and its place in the queue."""

import sys
from typing import TYPE_CHECKING

from coder_cli.kit.clock import Clock, SystemClock
from coder_cli.ui.printer import note, styled

if TYPE_CHECKING:
    from coder_cli.sdk.jobs import ProvisionerJobLog

QUEUED = "Queued"


class JobProgress:
    """Print one line when a stage begins, its log, and one line with its time when it ends."""

    def __init__(self, clock: Clock | None = None, *, quiet: bool = False) -> None:
        self._clock = clock or SystemClock()
        self._quiet = quiet
        self._stage = ""
        self._since = 0.0
        self._queue = 0

    def queued(self, position: int, size: int) -> None:
        """Say where the job stands in the queue, when that changed."""
        self._begin(QUEUED)
        if position > 0 and position != self._queue:
            self._queue = position
            self._say(f"    position {position} of {max(position, size)} in the queue")

    def log(self, line: "ProvisionerJobLog") -> None:
        """Show one line of the job's log."""
        self._begin(line.stage)
        if line.output:
            loud = line.log_level in {"error", "warn"}
            self._say(styled(f"    {line.output}", "red" if loud else "dim"))

    def ended(self, *, well: bool) -> None:
        """Close the last stage."""
        self._end("✔" if well else "✘")

    def _begin(self, stage: str) -> None:
        if not stage or stage == self._stage:
            return
        self._end("✔")
        self._stage, self._since = stage, self._clock.monotonic()
        self._say(f"{styled('==>', 'bold')} {stage}")

    def _end(self, mark: str) -> None:
        if not self._stage:
            return
        took = _short(self._clock.monotonic() - self._since)
        color = "green" if mark == "✔" else "red"
        self._say(f"{styled(f'{mark}', color)}   {self._stage} {styled(f'[{took}]', 'dim')}")
        self._stage = ""

    def _say(self, text: str) -> None:
        if not self._quiet:
            encoding = sys.stderr.encoding or "ascii"
            note(text.encode(encoding, "replace").decode(encoding))


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.1f}s"
