"""A provisioner's job as it runs: its stages with their times, and its place in the queue."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from coder_cli.ui.printer import note, styled

if TYPE_CHECKING:
    from coder_cli.sdk.jobs import ProvisionerJob, ProvisionerJobLog

QUEUED = "Queued"


class JobProgress:
    """Print one line when a stage begins, its log, and one line with its time when it ends.

    Times are the server's: they are right even where the log arrives late, or all at once.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        """Show a job; a quiet one tells its stages and what goes wrong, and nothing else."""
        self._quiet = quiet
        self._stage = ""
        self._since: datetime | None = None
        self._queue = 0
        self._why = ""
        self._failing = False
        """Whether the stage that runs has told of an error: the cross belongs to it."""
        self._told = False
        """Whether a stage bears the cross already."""

    def queued(self, job: "ProvisionerJob", why: str = "") -> None:
        """Say where the job stands in the queue, and why it waits, when that changed."""
        self._begin(QUEUED, job.created_at)
        position = job.queue_position
        if position > 0 and position != self._queue:
            self._queue = position
            _say(f"    position {position} of {max(position, job.queue_size)} in the queue")
        if why and why != self._why:
            _say(styled(f"    {why}", "yellow"))
        self._why = why

    def log(self, line: "ProvisionerJobLog") -> None:
        """Show one line of the job's log."""
        self._begin(line.stage, line.created_at)
        if line.output:
            loud = line.log_level in {"error", "warn"}
            self._failing = self._failing or line.log_level == "error"
            if loud or not self._quiet:
                _say(styled(f"    {line.output}", "red" if loud else "dim"))

    def ended(self, job: "ProvisionerJob") -> None:
        """Close the last stage."""
        self._failing = self._failing or not (job.status == "succeeded" or self._told)
        self._end(job.completed_at)

    def _begin(self, stage: str, at: datetime) -> None:
        if not stage or stage == self._stage:
            return
        self._end(at)
        self._stage, self._since = stage, at
        _say(f"{styled('==>', 'bold')} {stage}")

    def _end(self, at: datetime | None) -> None:
        if not self._stage:
            return
        mark = styled("✘", "red") if self._failing else styled("✔", "green")
        _say(f"{mark}   {self._stage}{_took(self._since, at)}")
        self._told = self._told or self._failing
        self._stage, self._failing = "", False


def _took(since: datetime | None, until: datetime | None) -> str:
    if since is None or until is None:
        return ""
    seconds = max((until - since).total_seconds(), 0.0)
    span = f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.1f}s"
    return f" {styled(f'[{span}]', 'dim')}"


def _say(text: str) -> None:
    # A terminal that cannot show a tick should not end the command.
    encoding = sys.stderr.encoding or "ascii"
    note(text.encode(encoding, "replace").decode(encoding))
