"""How a run of a job ends, given how its work ended and what was asked meanwhile. Pure."""

from dataclasses import dataclass
from enum import IntEnum

from server.provisioning.errors import JobFailed
from server.provisioning.model.logs import Line
from server.provisioning.model.states import Move

LONGEST_ERROR = 8192
CANCEL_TIMED_OUT = "Cancel timed out"
TOO_MANY_LOST = (
    "The servers that ran this job were lost three times in a row; it is not tried again."
)


class Asked(IntEnum):
    """What somebody asked of a run; a higher one wins over a lower one."""

    NOTHING = 0
    RELEASE = 1
    """The server shuts down."""
    CANCEL = 2
    EXHAUSTED = 3
    """Only to save what is left: too many workers were lost over this job."""
    FORCE = 4
    """It was cancelled and did not stop in time."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The move that ends a run, and the words for people and clients."""

    move: Move
    error: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How the work ended: with an outcome, a failure, or a failure that left an outcome."""

    outcome: object
    failure: JobFailed | None = None
    ask_kind: bool = True
    """False when the kind itself could not even write the failure."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a run, as its worker tells it."""

    result: Result
    asked: Asked
    lines: tuple[Line, ...] = ()
    """What was said and not stored yet."""
    cut_lines: int = 0
    """How many lines did not fit into the log before these."""
    cut_bytes: int = 0

    @property
    def ending(self) -> Ending:
        """Return the move that follows."""
        return judge(self.result.failure, self.asked)


def judge(failure: JobFailed | None, asked: Asked) -> Ending:
    """Return how a run ends. What succeeded has succeeded, whatever was asked meanwhile."""
    if failure is None:
        return Ending(Move.FINISH)
    match asked:
        case Asked.NOTHING:
            return Ending(Move.FAIL, presentable(failure.message), failure.code)
        case Asked.RELEASE:
            return Ending(Move.RELEASE)
        case Asked.CANCEL:
            return Ending(Move.STOP)
        case Asked.EXHAUSTED:
            return Ending(Move.FAIL, TOO_MANY_LOST)
        case Asked.FORCE:
            return Ending(Move.FAIL, CANCEL_TIMED_OUT)


def presentable(message: str) -> str:
    """Return an error that can be stored and shown: not empty, not endless, no NUL."""
    text = message.replace("\0", "\N{REPLACEMENT CHARACTER}").strip() or "The job failed."
    if len(text) <= LONGEST_ERROR:
        return text
    cut = len(text) - LONGEST_ERROR
    return f"{text[:LONGEST_ERROR]}\n[{cut} characters left out; the log has them all]"
