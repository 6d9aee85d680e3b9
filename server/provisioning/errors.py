"""Refusals and failures of jobs.

ApiError
+ JobCompleted        412  a job that ended cannot be cancelled
+ AlreadyCanceled     412  somebody cancelled it before
+ BadKey              400  a name or tags that a provisioner key cannot have
+ OtherLine           400  a daemon and its server speak different versions of the line
+ DaemonNameTaken     409  a daemon of the server itself has that name
+ ReservedKey         400  a key that nobody made cannot be deleted
+ KeyNameTaken        409  the organization has a key of that name
Exception
+ JobFailed           raised by a kind's work: the job ends as failed, its outcome is kept
+ LeaseLost           another worker has the job now; nothing may be written
+ LineEnded           the line of a provisioner daemon is over
+ LineAbused          the other end of a line does not keep to what was agreed
+ CallRefused         the other end of a line says no
"""

from enum import IntEnum

from server.kit.errors import Conflict, FieldError, Invalid, PreconditionFailed


class JobCompleted(PreconditionFailed):
    """The job has ended already."""

    def __init__(self) -> None:
        super().__init__("Job has already completed!")


class AlreadyCanceled(PreconditionFailed):
    """The job was cancelled before."""

    def __init__(self) -> None:
        super().__init__("Job has already been marked as canceled!")


class BadKey(Invalid):
    """A provisioner key cannot have this name or these tags."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why, fields=[FieldError(field, why)])


class OtherLine(Invalid):
    """The daemon and this server speak different versions of the line."""


class DaemonNameTaken(Conflict):
    """A daemon of the server itself has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A provisioner daemon of the server itself is named '{name}'; give another --name."
        )


class ReservedKey(Invalid):
    """The key stands for another way to log in."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Cannot delete reserved '{name}' provisioner key")


class KeyNameTaken(Conflict):
    """There is a key of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Provisioner key with name '{name}' already exists in organization")


class JobFailed(Exception):
    """The work of a job failed. ``outcome`` is what it made nevertheless, such as a state."""

    def __init__(self, message: str, code: str = "", outcome: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.outcome = outcome


class LeaseLost(Exception):
    """Another worker holds the job's lease, or the job has ended."""


class Refusal(IntEnum):
    """Why a call over a line was refused, as JSON-RPC writes it."""

    INTERNAL = -32603
    LEASE_LOST = -32001
    UNAVAILABLE = -32002
    REFUSED = -32003
    """What was sent cannot be accepted."""


class LineEnded(Exception):
    """The line of a provisioner daemon is over; the text says why."""

    def __init__(self, why: str, code: int = 1001) -> None:
        super().__init__(why)
        self.code = code


class LineAbused(Exception):
    """The other end of a line does not keep to what was agreed."""


class CallRefused(Exception):
    """The other end of a line says no."""

    def __init__(self, why: str, code: int = Refusal.REFUSED) -> None:
        super().__init__(why)
        self.code = code
