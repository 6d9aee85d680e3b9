"""The rules of the loop: what happened, in which phase, decides what is done next. Pure.

Every rule is here and in the modules it asks (`answers`, `asking`, `folding`, `retries`); `run` has
none. Source: reference, chats, section 3. ``RULES`` is the law, README.md its page.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID

from server.llm import ErrorKind, Finish, ModelError, Role
from server.loop import folding
from server.loop.answers import (
    as_messages,
    completed,
    cost_of,
    distinct,
    local_calls,
    shown,
    sort,
    step_rows,
    words,
)
from server.loop.asking import is_owed
from server.loop.compaction import NEVER, limit
from server.loop.layers import apply, noticed, unknown
from server.loop.ledger import Row
from server.loop.moves import Moved, call, milliseconds, stop, store
from server.loop.outcome import Done, Failed, Limited, Outcome, Parked, Stopped
from server.loop.retries import delay
from server.loop.state import (
    Answer,
    Answered,
    Broke,
    Commit,
    Event,
    Interrupted,
    Load,
    Loaded,
    Phase,
    Ran,
    Refused,
    RunTools,
    Settle,
    State,
    Stored,
    Wait,
    Waited,
)
from server.loop.turn import Turn
from server.loop.weight import weigh

MAX_CUT_OFF = 3
"""Answers in a row that may end within a call: the model is told, and makes smaller ones."""

FILTERED = "The provider's content filter stopped the answer."


class OutOfOrder(Exception):
    """An event came in a phase that cannot know it: a bug of whoever performs the effects."""


def begin(turn: Turn, seed: UUID) -> Moved:
    """Return where a turn begins, and the first thing to be done."""
    return State(turn=turn, seed=seed, chain=turn.chain_from), (Load(),)


def step(state: State, event: Event) -> Moved:
    """Return what is known after ``event``, and what is to be done."""
    rule = RULES.get((state.phase, type(event)))
    if rule is None:
        raise OutOfOrder(f"{type(event).__name__} while {state.phase}")
    return rule(state, event)


# The history ---------------------------------------------------------------------------------


def begin_step(state: State, event: Loaded) -> Moved:
    """Ask the model, unless nothing is owed; fold first if somebody wants it, or if we must."""
    turn, first = state.turn, state.folds == 0
    # Layers are put around the rows once: some are long, and all stay for the whole turn.
    messages = apply(turn.layers, event.messages)
    messages = noticed(turn.layers, messages) if first else messages
    owed = is_owed(event.messages)
    state = replace(state, messages=messages, began=event.at)
    if first and turn.compact and folding.is_possible(state):
        return folding.manual(state, None if owed else Done())
    if not owed:
        return stop(state, Done())
    too_long = turn.threshold_percent < NEVER and weigh(messages) > turn.engine.context_limit
    if first and too_long and folding.is_possible(state):
        return folding.squeeze(state, None)
    return call(state)


# The model -----------------------------------------------------------------------------------


def take_answer(state: State, event: Answered) -> Moved:
    """Use the tools that the answer asks for; without any, store it."""
    parts = shown(distinct(event.parts), state.turn.toolbox)
    finish = event.finished.finish
    calls = local_calls(parts)
    sorted_calls = sort(calls, state.turn.toolbox, finish)
    usage = event.finished.usage
    broken = bool(calls) and finish is Finish.LENGTH
    state = replace(
        state,
        answer=Answer(parts, event.finished, calls, sorted_calls.waiting),
        results={},
        attempt=0,
        chain="",
        squeezed=False,
        resuming=finish is Finish.SUSPENDED and not calls,
        cut_off=state.cut_off + 1 if broken else 0,
        context=usage.context(),
        context_limit=limit(state.turn, usage.context_limit),
    )
    if state.fresh:
        # A summary that leaves the context as full as before is a summary too many.
        useless = 1 if folding.is_due(state) else 0
        state = replace(state, fresh=False, failures=state.failures + useless)
    if not sorted_calls.uses and not sorted_calls.refused:
        return _store_step(state, event.at)
    tools = RunTools(sorted_calls.uses, sorted_calls.refused, calls)
    paid = Settle(cost_of(_answer(state), state.turn.engine))
    return replace(state, phase=Phase.USING), (paid, tools)


def try_again(state: State, event: Broke) -> Moved:
    """Replay, fold, wait or give up, by the class of the failure."""
    error, failed = event.error, state.attempt + 1
    if error.kind is ErrorKind.CHAIN_BROKEN and state.chain:
        # At once, and told: listeners may have heard something.
        state = replace(state, phase=Phase.WAITING, chain="", attempt=failed)
        return state, (Wait(failed, 0.0, error),)
    folds = folding.is_possible(state) and not state.squeezed
    if error.kind is ErrorKind.CONTEXT_WINDOW and folds:
        return folding.squeeze(state, error)
    seconds = delay(failed, error, state.turn.max_calls)
    if seconds is None:
        return stop(state, Failed(error))
    return replace(state, phase=Phase.WAITING, attempt=failed), (Wait(failed, seconds, error),)


def give_up(state: State, event: Refused) -> Moved:
    """End: there is no money for another call."""
    return stop(state, Limited(event.message))


def call_again(state: State, _: Waited) -> Moved:
    """Make the failed call anew."""
    return call(state)


# The tools -----------------------------------------------------------------------------------


def take_results(state: State, event: Ran) -> Moved:
    """Store the step with what the tools answered."""
    news = unknown(state.turn.layers, state.messages, event.found)
    more = (Row(Role.USER, news, visibility="model"),) if news else ()
    state = replace(state, results=event.results)
    return _store_step(state, event.at, ends_turn=event.ends_turn, more=more)


def _store_step(
    state: State, at: float, *, ends_turn: bool = False, more: tuple[Row, ...] = ()
) -> Moved:
    answer, engine = _answer(state), state.turn.engine
    rows = (*step_rows(answer, state.results, engine, milliseconds(state, at)), *more)
    state = replace(
        state,
        messages=(*state.messages, *as_messages(rows, engine)),
        steps=state.steps + 1,
    )
    ends, ours = _end(state, answer, ends_turn=ends_turn)
    due = not ours and folding.is_due(state) and folding.is_possible(state)
    state = replace(state, ends=ends, due=due)
    return store(state, Phase.STORING, Commit(rows, last=None if due else ends))


def _end(state: State, answer: Answer, *, ends_turn: bool) -> tuple[Outcome | None, bool]:
    """Return how the turn ends with this step, if it does, and whether it is we who end it."""
    finished = answer.finished
    assert finished is not None
    said = Done(words(answer.parts))
    if finished.finish is Finish.CONTENT_FILTER:
        provider = state.turn.engine.model.provider
        error = ModelError(ErrorKind.CONTENT_FILTER, FILTERED, provider=provider)
        return Failed(error), True
    if answer.waiting:
        return Parked(answer.waiting), True
    if ends_turn or state.steps >= state.turn.max_steps or state.cut_off >= MAX_CUT_OFF:
        return said, True
    goes_on = bool(answer.calls) or state.resuming
    return (None if goes_on else said), False


# The rows ------------------------------------------------------------------------------------


def go_on(state: State, event: Stored) -> Moved:
    """End, fold, or ask for the next step."""
    if state.ends is not None and not state.due:
        return stop(state, state.ends)
    if event.cause is not None:
        return stop(state, Stopped(event.cause))
    state = replace(state, began=event.at, answer=None, results={})
    return folding.automatic(state, state.ends) if state.due else call(state)


# Stopped from outside ------------------------------------------------------------------------


def leave(state: State, event: Interrupted) -> Moved:
    """End: nothing had come that could be kept."""
    return stop(state, Stopped(event.cause))


def keep_answer(state: State, event: Interrupted) -> Moved:
    """Store what had come of the answer. Its calls did not run, and say so."""
    if not event.parts:
        return leave(state, event)
    parts = shown(distinct(event.parts), state.turn.toolbox)
    answer = Answer(parts, None, local_calls(parts), asked_tokens=weigh(state.messages))
    state = replace(state, answer=answer, results={})
    return _store_interrupted(state, event)


def keep_results(state: State, event: Interrupted) -> Moved:
    """Store the answer with the results that are there; the others say that they are missing."""
    return _store_interrupted(replace(state, results={**state.results, **event.results}), event)


def keep_rows(state: State, event: Interrupted) -> Moved:
    """Store the summary that is written already."""
    last = Stopped(event.cause)
    under_way = state.folding and replace(state.folding, reenter=False)
    state = replace(state, ends=last, folding=under_way)
    return store(state, Phase.FOLDING, Commit(state.rows, interrupted=True, last=last))


def _store_interrupted(state: State, event: Interrupted) -> Moved:
    answer, last = _answer(state), Stopped(event.cause)
    results = completed(answer, state.results)
    rows = step_rows(answer, results, state.turn.engine, milliseconds(state, event.at))
    state = replace(state, ends=last, due=False)
    return store(state, Phase.STORING, Commit(rows, interrupted=True, last=last))


def _answer(state: State) -> Answer:
    assert state.answer is not None
    return state.answer


Rule: TypeAlias = Callable[[State, Any], Moved]

RULES: Mapping[tuple[Phase, type[Event]], Rule] = {
    (Phase.LOADING, Loaded): begin_step,
    (Phase.LOADING, Interrupted): leave,
    (Phase.CALLING, Answered): take_answer,
    (Phase.CALLING, Broke): try_again,
    (Phase.CALLING, Refused): give_up,
    (Phase.CALLING, Interrupted): keep_answer,
    (Phase.WAITING, Waited): call_again,
    (Phase.WAITING, Interrupted): leave,
    (Phase.USING, Ran): take_results,
    (Phase.USING, Interrupted): keep_results,
    (Phase.STORING, Stored): go_on,
    (Phase.STORING, Interrupted): keep_results,
    (Phase.COMPACTING, Answered): folding.summarised,
    (Phase.COMPACTING, Broke): folding.broke,
    (Phase.COMPACTING, Refused): folding.refused,
    (Phase.COMPACTING, Interrupted): leave,
    (Phase.FOLDING, Stored): folding.folded,
    (Phase.FOLDING, Interrupted): keep_rows,
}
"""Phase and event -> rule. What is not here cannot happen."""
