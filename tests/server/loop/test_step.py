"""The law of the loop as a page: every phase and every event."""

from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from inline_snapshot import snapshot

from server.llm import (
    ErrorKind,
    Finish,
    Finished,
    Message,
    ModelError,
    Role,
    Text,
    ToolCall,
    Usage,
)
from server.loop.outcome import Failed
from server.loop.retries import MAX_CALLS, delay
from server.loop.state import (
    Answered,
    Broke,
    CallModel,
    Compact,
    Event,
    Load,
    Loaded,
    Phase,
    RunTools,
    State,
    Stop,
    Wait,
    Waited,
)
from server.loop.step import RULES, OutOfOrder, begin, step
from tests.server.loop.world import Stage, asks, tool

EVENTS = get_args(Event)
BUSY = ModelError(ErrorKind.OVERLOADED, "Busy.")


def picture() -> str:
    """Draw the table: what each phase makes of each event."""
    columns = [["", *(event.__name__ for event in EVENTS)]]
    for phase in Phase:
        if phase is not Phase.ENDED:
            rules = (RULES.get((phase, event)) for event in EVENTS)
            columns.append([phase.value, *(rule.__name__ if rule else "-" for rule in rules)])
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def test_every_phase_and_every_event() -> None:
    assert picture() == snapshot("""\
                loading      calling     waiting         using       storing  compacting    folding
     Loaded  begin_step            -           -             -             -           -          -
   Answered           -  take_answer           -             -             -  summarised          -
      Broke           -    try_again           -             -             -       broke          -
    Refused           -      give_up           -             -             -     refused          -
     Waited           -            -  call_again             -             -           -          -
        Ran           -            -           -  take_results             -           -          -
     Stored           -            -           -             -         go_on           -     folded
Interrupted       leave  keep_answer       leave  keep_results  keep_results       leave  keep_rows\
""")


def test_nothing_comes_after_the_end() -> None:
    assert not any(phase is Phase.ENDED for phase, _ in RULES)


def test_what_is_not_in_the_table_cannot_happen() -> None:
    state = called()
    for phase in Phase:
        for event in EVENTS:
            if (phase, event) not in RULES:
                with pytest.raises(OutOfOrder):
                    step(State(state.turn, UUID(int=1), phase=phase), event.__new__(event))


def called(**rest: Any) -> State:
    stage = Stage(tools=(tool("look"),), **rest)
    state, effects = begin(stage.turn, UUID(int=1))
    assert effects == (Load(),)
    state, effects = step(state, Loaded(tuple(asks("hi"))))
    assert isinstance(effects[-1], CallModel)
    return state


def test_the_same_events_lead_to_the_same_effects() -> None:
    state = called()
    event = Answered((Text("a"),), Finished((Text("a"),), Usage(), Finish.STOP), at=1.0)
    assert step(state, event) == step(state, event)


def test_backoff_doubles_to_a_minute_and_ends_after_25_calls() -> None:
    state = called()
    waits: list[float] = []
    while True:
        state, (effect,) = step(state, Broke(BUSY))
        if isinstance(effect, Stop):
            break
        assert isinstance(effect, Wait)
        waits.append(effect.seconds)
        state, (effect,) = step(state, Waited())
        assert isinstance(effect, CallModel)
    assert effect.outcome == Failed(BUSY)
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(waits) == MAX_CALLS - 1


@pytest.mark.parametrize("most", [0, 1])
def test_seed_max_generation_retries_none_are_made_where_none_are_wanted(most: int) -> None:
    state = called(max_calls=most)
    assert step(state, Broke(BUSY))[1] == (Stop(Failed(BUSY)),)


def test_a_provider_s_wish_to_wait_is_a_lower_bound() -> None:
    assert delay(1, ModelError(ErrorKind.RATE_LIMIT, "", retry_after=30)) == 30
    assert delay(6, ModelError(ErrorKind.RATE_LIMIT, "", retry_after=3)) == 32
    day = timedelta(days=1).total_seconds()
    assert delay(1, ModelError(ErrorKind.RATE_LIMIT, "", retry_after=day)) is None


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_each_class_of_failure_has_its_answer(kind: ErrorKind) -> None:
    _, effects = step(called(), Broke(ModelError(kind, "No.")))
    answers = {
        ErrorKind.OVERLOADED: Wait,
        ErrorKind.RATE_LIMIT: Wait,
        ErrorKind.TIMEOUT: Wait,
        ErrorKind.STARTUP_TIMEOUT: Wait,
        ErrorKind.STREAM_SILENCE_TIMEOUT: Wait,
    }
    assert isinstance(effects[-1], answers.get(kind, Stop))


def test_a_server_s_own_error_is_tried_again_and_another_one_is_not() -> None:
    _, effects = step(called(), Broke(ModelError(ErrorKind.GENERIC, "", status_code=500)))
    assert isinstance(effects[-1], Wait)
    _, effects = step(called(), Broke(ModelError(ErrorKind.GENERIC, "", status_code=418)))
    assert isinstance(effects[-1], Stop)


def test_trap_02_what_is_no_answer_of_a_model_is_tried_once_more() -> None:
    garbled = ModelError(ErrorKind.GENERIC, "A page.", status_code=502)
    assert delay(1, garbled) == 1
    assert delay(2, garbled) is None


def test_a_success_forgets_earlier_failures() -> None:
    state, _ = step(called(), Broke(BUSY))
    state, _ = step(state, Waited())
    call = ToolCall("1", "look")
    state, effects = step(state, Answered((call,), Finished((call,), Usage(), Finish.STOP)))
    assert isinstance(effects[-1], RunTools)
    assert state.attempt == 0


def test_a_history_without_an_answer_cannot_be_folded() -> None:
    error = ModelError(ErrorKind.CONTEXT_WINDOW, "Too long.")
    _, effects = step(called(), Broke(error))
    assert effects == (Stop(Failed(error)),)

    state, _ = begin(Stage().turn, UUID(int=1))
    spoken = (*asks("a"), Message(Role.ASSISTANT, (Text("b"),)), *asks("c"))
    state, _ = step(state, Loaded(spoken))
    _, effects = step(state, Broke(error))
    assert isinstance(effects[-1], Compact)
