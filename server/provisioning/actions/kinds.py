"""What a kind of job must bring. The rooms above bring it; ``server.app`` puts them together."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from server.kit.db import Tx
from server.provisioning.model import Job, JobType
from server.terraform import Cancellation, LogLevel, Terraform

Outcome_contra = TypeVar("Outcome_contra", contravariant=True)


class Console(Protocol):
    """What a job's work may use of its worker; it is terraform's ``Console`` too."""

    @property
    def cancelled(self) -> Cancellation:
        """Return the event that asks the work to end: cancelled, or the server shuts down."""
        ...

    @property
    def work_dir(self) -> Path:
        """Return a directory of this job's own; the worker removes it.

        It is empty but for the Terraform state that a lost run left, which is ``recovered`` too.
        """
        ...

    @property
    def recovered(self) -> bytes | None:
        """Return the Terraform state that a lost run of this job left on this host, if any.

        When it is there, it is newer than anything in the database.
        """
        ...

    def log(self, level: LogLevel, stage: str, output: str, *, source: str = "provisioner") -> None:
        """Take one line of the job's log."""
        ...

    def conceal(self, secrets: Iterable[str]) -> None:
        """Let none of these be read in the log and the error of the job, from now on."""
        ...


class Order(Protocol):
    """Work that needs terraform and a console, and nothing else of the server."""

    async def carry_out(self, terraform: Terraform, console: Console) -> object:
        """Do it in the console's work directory. End soon when ``console.cancelled`` is set.

        Raises:
            JobFailed: it failed, or was asked to end; with whatever was made as ``outcome``.
        """
        ...


class JobKind(Protocol[Outcome_contra]):
    """Load an order and write what became of it. No transaction is open while it is carried out."""

    async def load(self, tx: Tx, job: Job) -> Order:
        """Read everything the work needs, and return it as what is asked of terraform.

        Raises:
            JobFailed: it cannot be done.
        """
        ...

    async def complete(self, order: Order) -> Order:
        """Add what only others than the database know; no transaction is open meanwhile."""
        return order

    async def apply(self, tx: Tx, job: Job, outcome: Outcome_contra) -> None:
        """Write the result, in the transaction that ends the job. The lease was checked.

        Raises:
            JobFailed: the result cannot be accepted; everything written here is undone.
        """
        ...

    async def failed(self, tx: Tx, job: Job, outcome: Outcome_contra | None) -> None:
        """Write what a failed or cancelled run left, in the transaction that ends the job.

        ``job`` is as it was before it ended. An outcome of None means that nothing is known:
        the job never ran, or its worker was lost.
        """
        ...

    async def released(self, tx: Tx, job: Job, outcome: Outcome_contra | None) -> None:
        """Write what an interrupted run left, so that the next run goes on from there.

        The job does not end: another worker, or this server after its restart, loads it again.
        """
        ...


class Registry:
    """The kinds of jobs this server can run."""

    def __init__(self, kinds: Mapping[JobType, JobKind[Any]]) -> None:
        self._kinds = dict(kinds)

    @property
    def types(self) -> list[str]:
        """Return the types of jobs that may be acquired."""
        return [str(kind) for kind in self._kinds]

    def kind(self, job_type: JobType) -> JobKind[Any]:
        """Return who can do a job of this type."""
        return self._kinds[JobType(job_type)]
