"""The life of a chat as a table: thirteen states, and which move leads from which to which. Pure.

A state is what a chat does (a letter) and whether messages wait in its queue (0 or 1). Source:
reference, chats, section 1.6.3.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from server.chats.errors import IllegalMove


class Status(StrEnum):
    """What a chat does, as its row says it. ``running`` without a runner waits for one."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTING = "interrupting"
    REQUIRES_ACTION = "requires_action"
    ERROR = "error"


class State(StrEnum):
    """Where a chat is. The digit tells whether messages wait in its queue."""

    N = "N"
    """Not yet made."""
    W = "W"
    """Idle; its queue is always empty."""
    E0 = "E0"
    E1 = "E1"
    R0 = "R0"
    R1 = "R1"
    I0 = "I0"
    I1 = "I1"
    A0 = "A0"
    A1 = "A1"
    XW = "XW"
    XE0 = "XE0"
    XE1 = "XE1"


class Move(StrEnum):
    """What may happen to a chat."""

    CREATE = "create"
    SEND = "send"
    """A message: of an idle chat it is the next turn, of a busy one it waits in the queue."""
    SEND_INTERRUPT = "send and interrupt"
    EDIT = "edit"
    DELETE_QUEUED = "delete queued"
    PROMOTE = "promote"
    INTERRUPT = "interrupt"
    COMPLETE_ACTION = "complete action"
    ENTER_ACTION = "enter action"
    FINISH_TURN = "finish turn"
    FINISH_INTERRUPTION = "finish interruption"
    FINISH_ERROR = "finish error"
    REQUEST_COMPACTION = "request compaction"
    CLEAR_CONTEXT = "clear context"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"


W, E0, E1, R0, R1 = State.W, State.E0, State.E1, State.R0, State.R1
I0, I1, A0, A1 = State.I0, State.I1, State.A0, State.A1
_R, _I, _A = (R0, R1), (I0, I1), (A0, A1)

MOVES: Mapping[Move, Mapping[State, tuple[State, ...]]] = MappingProxyType(
    {
        Move.CREATE: {State.N: (R0,)},
        Move.SEND: {
            W: (R0,),
            E0: (R0,),
            # First in, first out: the new one goes to the end of the queue, and its head is next.
            E1: (R1,),
            **dict.fromkeys(_R, (R1,)),
            **dict.fromkeys(_I, (I1,)),
            **dict.fromkeys(_A, (A1,)),
        },
        Move.SEND_INTERRUPT: {
            **dict.fromkeys((*_R, *_I), (I1,)),
            **dict.fromkeys(_A, (R1,)),
        },
        Move.EDIT: dict.fromkeys((W, E0, E1, *_R, *_I, *_A), (R0,)),
        Move.DELETE_QUEUED: {E1: (E0, E1), R1: _R, I1: _I, A1: _A},
        Move.PROMOTE: {E1: _R, A1: _R, R1: (I1,), I1: (I1,)},
        Move.INTERRUPT: {R0: (I0,), R1: (I1,), A0: (R0,), A1: (R1,)},
        Move.COMPLETE_ACTION: {A0: (R0,), A1: (R1,)},
        Move.ENTER_ACTION: {R0: (A0,), R1: (A1,)},
        Move.FINISH_TURN: {R0: (W,), R1: _R},
        Move.FINISH_INTERRUPTION: {I0: (W,), I1: _R},
        Move.FINISH_ERROR: {R0: (E0,), R1: (E1,)},
        Move.REQUEST_COMPACTION: {W: (R0,), E0: (R0,), E1: (R1,)},
        Move.CLEAR_CONTEXT: {W: (W,), E0: (E0,)},
        Move.ARCHIVE: {W: (State.XW,), E0: (State.XE0,), E1: (State.XE1,)},
        Move.UNARCHIVE: {State.XW: (W,), State.XE0: (E0,), State.XE1: (E1,)},
    }
)
"""For each move the states it may begin in, and where it may lead: the queue decides which."""

_LETTERS = {
    Status.WAITING: "W",
    Status.ERROR: "E",
    Status.RUNNING: "R",
    Status.INTERRUPTING: "I",
    Status.REQUIRES_ACTION: "A",
}
_STATUSES = {letter: status for status, letter in _LETTERS.items()}


def state_of(status: Status, *, queued: bool, archived: bool) -> State | None:
    """Return where a chat with such a row is, or None when no chat may look like that."""
    flag = "" if status is Status.WAITING and not queued else "1" if queued else "0"
    name = f"{'X' if archived else ''}{_LETTERS[status]}{flag}"
    return State(name) if name in State.__members__ else None


def status_of(state: State) -> Status:
    """Return the status that a row of this state has; ``N`` has none."""
    return _STATUSES[state.value.removeprefix("X")[0]]


def after(state: State, move: Move, *, queued: bool) -> State:
    """Return where ``move`` leads, when messages wait after it or not.

    Raises:
        IllegalMove: not from here, or not with such a queue.
    """
    targets = MOVES[move].get(state, ())
    fitting = [target for target in targets if target.value.endswith("1") == queued]
    if not fitting:
        raise IllegalMove(move, state)
    return fitting[0]
