"""The pure rules: thirteen states, their moves, and the rows that moves make."""

import pytest
from inline_snapshot import snapshot

from server.chats.errors import IllegalMove
from server.chats.model import MOVES, Move, State, Status, after, state_of, status_of


def picture() -> str:
    lines = [f"{'':20}" + "".join(f"{word:>6}" for word in State)]
    for move in Move:
        words = ("/".join(MOVES[move].get(state, ("-",))) for state in State)
        lines.append(f"{move:20}" + "".join(f"{word:>6}" for word in words))
    return "\n".join(lines)


def test_the_thirteen_states_and_every_move() -> None:
    assert len(State) == 13
    assert picture() == snapshot("""\
                         N     W    E0    E1    R0    R1    I0    I1    A0    A1    XW   XE0   XE1
create                  R0     -     -     -     -     -     -     -     -     -     -     -     -
send                     -    R0    R0    R1    R1    R1    I1    I1    A1    A1     -     -     -
send and interrupt       -     -     -     -    I1    I1    I1    I1    R1    R1     -     -     -
edit                     -    R0    R0    R0    R0    R0    R0    R0    R0    R0     -     -     -
delete queued            -     -     - E0/E1     - R0/R1     - I0/I1     - A0/A1     -     -     -
promote                  -     -     - R0/R1     -    I1     -    I1     - R0/R1     -     -     -
interrupt                -     -     -     -    I0    I1     -     -    R0    R1     -     -     -
complete action          -     -     -     -     -     -     -     -    R0    R1     -     -     -
enter action             -     -     -     -    A0    A1     -     -     -     -     -     -     -
finish turn              -     -     -     -     W R0/R1     -     -     -     -     -     -     -
finish interruption      -     -     -     -     -     -     W R0/R1     -     -     -     -     -
finish error             -     -     -     -    E0    E1     -     -     -     -     -     -     -
request compaction       -    R0    R0    R1     -     -     -     -     -     -     -     -     -
clear context            -     W    E0     -     -     -     -     -     -     -     -     -     -
archive                  -    XW   XE0   XE1     -     -     -     -     -     -     -     -     -
unarchive                -     -     -     -     -     -     -     -     -     -     W    E0    E1\
""")


@pytest.mark.parametrize("state", [state for state in State if state is not State.N])
def test_a_state_and_its_row_say_the_same(state: State) -> None:
    status = status_of(state)
    archived, queued = state.startswith("X"), state.endswith("1")
    assert state_of(status, queued=queued, archived=archived) is state


def test_rows_that_no_chat_may_have() -> None:
    assert state_of(Status.WAITING, queued=True, archived=False) is None
    for status in (Status.RUNNING, Status.INTERRUPTING, Status.REQUIRES_ACTION):
        assert state_of(status, queued=False, archived=True) is None


@pytest.mark.parametrize("move", list(Move))
def test_a_move_that_the_table_lacks_is_refused(move: Move) -> None:
    for state in State:
        targets = MOVES[move].get(state, ())
        for queued in (False, True):
            fitting = [target for target in targets if target.endswith("1") == queued]
            if fitting:
                assert after(state, move, queued=queued) is fitting[0]
            else:
                with pytest.raises(IllegalMove):
                    after(state, move, queued=queued)


def test_the_queue_alone_decides_between_two_targets() -> None:
    for targets in MOVES.values():
        for reached in targets.values():
            assert 1 <= len(reached) <= 2
            assert len({target.endswith("1") for target in reached}) == len(reached)
