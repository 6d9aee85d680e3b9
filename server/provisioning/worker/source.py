"""Where jobs come from: our own database, or a server at the far end of a line.

A worker knows nothing else of the server. What it holds of a job is a lease: it is renewed while
the work goes on, and whoever lost it writes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from server.provisioning.actions.kinds import Console
from server.provisioning.model import Acquired, Closing, Fitted, Line


class Lease(Protocol):
    """A job that belongs to a worker for as long as it is renewed."""

    @property
    def job(self) -> Acquired:
        """Return the job as it was when it was leased."""
        ...

    @property
    def patience(self) -> timedelta:
        """Return how long to go on without a heartbeat: less than the lease has."""
        ...

    async def work(self, console: Console) -> object:
        """Do the job's work and return its outcome.

        Raises:
            JobFailed: it failed, or was asked to end; with whatever was made as ``outcome``.
        """
        ...

    async def renew(self) -> bool | None:
        """Keep the job for a while; return whether it is to be cancelled, None if it is lost.

        Raises:
            Unavailable: nobody answers just now.
        """
        ...

    async def cancelled(self) -> None:
        """Return once somebody has asked the job to end; a notice may be lost."""
        ...

    async def say(self, lines: Sequence[Line]) -> Fitted:
        """Store lines of the log, as many as fit; return what was kept.

        Raises:
            LeaseLost: the job belongs to somebody else.
            Unavailable: nobody answers just now.
        """
        ...

    async def close(self, closing: Closing) -> None:
        """Write how the run ended, and give the job back or end it.

        Raises:
            LeaseLost: the job belongs to somebody else.
            Unavailable: nobody answers just now.
            JobFailed: the result cannot be accepted; nothing is written.
        """
        ...


class JobSource(Protocol):
    """Gives jobs to workers."""

    async def acquire(self, worker: str) -> Lease | None:
        """Lease the first job that this worker may do.

        Raises:
            Unavailable: nobody answers just now.
        """
        ...
