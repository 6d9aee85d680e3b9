"""The life of a job as a table: which move leads from which state to which. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from server.provisioning.errors import AlreadyCanceled, JobCompleted


class State(StrEnum):
    """Where a job is."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CANCELING = "canceling"
    CANCELED = "canceled"
    FAILED = "failed"


class Move(StrEnum):
    """What may happen to a job."""

    ACQUIRE = "acquire"
    """A worker leases it: for the first time, or because the lease before was lost or released."""
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"
    """Somebody asks for its end."""
    STOP = "stop"
    """The worker ended it because it was asked to."""
    RELEASE = "release"
    """The worker gives it back unharmed: the server shuts down."""


MOVES: Mapping[tuple[State, Move], State] = MappingProxyType(
    {
        (State.PENDING, Move.ACQUIRE): State.RUNNING,
        (State.PENDING, Move.FAIL): State.FAILED,
        (State.PENDING, Move.CANCEL): State.CANCELED,
        (State.RUNNING, Move.ACQUIRE): State.RUNNING,
        (State.RUNNING, Move.FINISH): State.SUCCEEDED,
        (State.RUNNING, Move.FAIL): State.FAILED,
        (State.RUNNING, Move.CANCEL): State.CANCELING,
        (State.RUNNING, Move.RELEASE): State.RUNNING,
        (State.CANCELING, Move.ACQUIRE): State.CANCELING,
        # The work was done before the request to cancel reached it: what is made, is made.
        (State.CANCELING, Move.FINISH): State.SUCCEEDED,
        (State.CANCELING, Move.FAIL): State.FAILED,
        (State.CANCELING, Move.STOP): State.CANCELED,
        (State.CANCELING, Move.RELEASE): State.CANCELING,
    }
)

ENDED = frozenset({State.SUCCEEDED, State.CANCELED, State.FAILED})


def after(state: State, move: Move) -> State | None:
    """Return the state that ``move`` leads to, or None when it is not allowed."""
    return MOVES.get((state, move))


def canceled(state: State) -> State:
    """Return the state after a request to cancel.

    Raises:
        AlreadyCanceled: it was asked before.
        JobCompleted: there is nothing left to cancel.
    """
    if state in (State.CANCELING, State.CANCELED):
        raise AlreadyCanceled
    following = after(state, Move.CANCEL)
    if following is None:
        raise JobCompleted
    return following


def state_of(
    started_at: datetime | None,
    canceled_at: datetime | None,
    completed_at: datetime | None,
    error: str,
) -> State:
    """Return the state that a row's times and error tell."""
    if completed_at is not None:
        if error:
            return State.FAILED
        return State.SUCCEEDED if canceled_at is None else State.CANCELED
    if canceled_at is not None:
        return State.CANCELING
    return State.PENDING if started_at is None else State.RUNNING
