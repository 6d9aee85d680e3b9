"""The law of jobs as a picture, and what a row's times tell."""

from datetime import UTC, datetime

import pytest
from inline_snapshot import snapshot

from server.provisioning import AlreadyCanceled, JobCompleted, JobFailed
from server.provisioning.model import ENDED, Asked, Move, State, after, canceled, judge
from server.provisioning.model.endings import CANCEL_TIMED_OUT, TOO_MANY_LOST
from server.provisioning.model.states import state_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def picture() -> str:
    rows = [["", *Move]]
    rows += [[state, *(str(after(state, move) or "-") for move in Move)] for state in State]
    return "\n".join("".join(f"{cell:>11}" for cell in row) for row in rows)


def test_every_state_and_every_move() -> None:
    assert picture() == snapshot("""\
               acquire     finish       fail     cancel       stop    release
    pending    running          -     failed   canceled          -          -
    running    running  succeeded     failed  canceling          -    running
  succeeded          -          -          -          -          -          -
  canceling  canceling  succeeded     failed          -   canceled  canceling
   canceled          -          -          -          -          -          -
     failed          -          -          -          -          -          -\
""")


def test_nothing_leaves_an_ended_state() -> None:
    assert [after(state, move) for state in ENDED for move in Move] == [None] * 18


@pytest.mark.parametrize(
    ("started", "canceled_at", "completed", "error", "state"),
    [
        (None, None, None, "", State.PENDING),
        (NOW, None, None, "", State.RUNNING),
        (NOW, NOW, None, "", State.CANCELING),
        (None, NOW, NOW, "", State.CANCELED),
        (NOW, NOW, NOW, "", State.CANCELED),
        (NOW, None, NOW, "", State.SUCCEEDED),
        (NOW, NOW, NOW, "Cancel timed out", State.FAILED),
        (NOW, None, NOW, "no", State.FAILED),
    ],
)
def test_a_rows_times_tell_its_state(
    started: datetime | None,
    canceled_at: datetime | None,
    completed: datetime | None,
    error: str,
    state: State,
) -> None:
    assert state_of(started, canceled_at, completed, error) is state


def test_cancelling_twice_and_too_late_are_different_refusals() -> None:
    assert canceled(State.PENDING) is State.CANCELED
    assert canceled(State.RUNNING) is State.CANCELING
    for state in (State.CANCELING, State.CANCELED):
        with pytest.raises(AlreadyCanceled, match="already been marked as canceled"):
            canceled(state)
    for state in (State.SUCCEEDED, State.FAILED):
        with pytest.raises(JobCompleted, match="already completed"):
            canceled(state)


def test_how_a_run_ends_by_what_was_asked() -> None:
    failure = JobFailed("no disk", "CODE")
    endings = {asked.name: judge(failure, asked) for asked in Asked}
    assert {name: (end.move.value, end.error) for name, end in endings.items()} == {
        "NOTHING": ("fail", "no disk"),
        "RELEASE": ("release", ""),
        "CANCEL": ("stop", ""),
        "EXHAUSTED": ("fail", TOO_MANY_LOST),
        "FORCE": ("fail", CANCEL_TIMED_OUT),
    }
    assert endings["NOTHING"].code == "CODE"
    assert {judge(None, asked).move for asked in Asked} == {Move.FINISH}
