"""What upper rooms may ask of terraform, and what they must bring."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from server.terraform.model import BuildRequest, Built, Imported, ImportRequest, LogLevel


class Cancellation(Protocol):
    """Somebody may ask a job to end; an ``asyncio.Event`` is one."""

    def is_set(self) -> bool:
        """Tell whether it was asked."""
        ...

    async def wait(self) -> object:
        """Return once it is asked."""
        ...


class Console(Protocol):
    """Where a job's log lines go, and where its cancellation comes from."""

    @property
    def cancelled(self) -> Cancellation:
        """Return the event that asks the job to end."""
        ...

    def log(self, level: LogLevel, stage: str, output: str) -> None:
        """Take one line of the job's log."""
        ...

    def conceal(self, secrets: Iterable[str]) -> None:
        """Let none of these be read in the log and the error of the job, from now on."""
        ...


class Terraform(Protocol):
    """Learn what a template offers, and carry out builds.

    Neither method raises for what terraform, a template or a cancellation can cause: that is in
    ``error``. Cancelling the awaiting task is the same as cancelling the job.
    """

    async def import_version(self, request: ImportRequest, console: Console) -> Imported:
        """Read a template: variables, parameters, presets, resources. Apply nothing."""
        ...

    async def dry_run(self, request: BuildRequest, console: Console) -> Built:
        """Plan a build and return its resources. Apply nothing; the state is left out."""
        ...

    async def build(self, request: BuildRequest, console: Console) -> Built:
        """Start, stop or delete a workspace; return the state, also after a failure."""
        ...

    async def sweep(self, work_dir: Path) -> bytes | None:
        """End what a dead server left running in ``work_dir``; return the state that survives."""
        ...
