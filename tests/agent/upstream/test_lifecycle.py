"""The law of an agent's life, as a picture."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from agent.upstream.lifecycle import MOVES, Life
from coder_cli.sdk.agentapi import Lifecycle, LifecycleState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = list(LifecycleState)


def _picture() -> str:
    rows = [
        " ".join([f"{state:>16}", *("x" if to in MOVES[state] else "." for to in ORDER)])
        for state in ORDER
    ]
    return "\n".join(rows)


def test_every_state_and_every_move() -> None:
    assert _picture() == snapshot("""\
         created . x . . . x . . .
        starting . . x x x x . . .
   start_timeout . . . . . x . . .
     start_error . . . . . x . . .
           ready . . . . . x . . .
   shutting_down . . . . . . x x x
shutdown_timeout . . . . . . . . .
  shutdown_error . . . . . . . . .
             off . . . . . . . . .\
""")


@given(st.lists(st.sampled_from(ORDER)))
def test_whatever_is_asked_life_never_goes_back(wishes: list[LifecycleState]) -> None:
    life = Life()
    told = [report.state for wish in wishes if (report := life.enter(wish, NOW))]
    for earlier, later in pairwise([LifecycleState.CREATED, *told]):
        assert ORDER.index(earlier) < ORDER.index(later)
        assert later in MOVES[earlier]


def test_a_move_is_told_with_its_time_and_only_once() -> None:
    life = Life()
    assert life.enter(LifecycleState.STARTING, NOW) == Lifecycle(LifecycleState.STARTING, NOW)
    assert life.enter(LifecycleState.STARTING, NOW) is None
    assert life.state is LifecycleState.STARTING
