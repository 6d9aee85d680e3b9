"""Refusals and failures of jobs.

ApiError
+ JobCompleted        412  a job that ended cannot be cancelled
+ AlreadyCanceled     412  somebody cancelled it before
Exception
+ JobFailed           raised by a kind's work: the job ends as failed, its outcome is kept
+ LeaseLost           another worker has the job now; nothing may be written
"""

from server.kit.errors import PreconditionFailed


class JobCompleted(PreconditionFailed):
    """The job has ended already."""

    def __init__(self) -> None:
        super().__init__("Job has already completed!")


class AlreadyCanceled(PreconditionFailed):
    """The job was cancelled before."""

    def __init__(self) -> None:
        super().__init__("Job has already been marked as canceled!")


class JobFailed(Exception):
    """The work of a job failed. ``outcome`` is what it made nevertheless, such as a state."""

    def __init__(self, message: str, code: str = "", outcome: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.outcome = outcome


class LeaseLost(Exception):
    """Another worker holds the job's lease, or the job has ended."""
