"""The rules of summaries: begun, written or failed, stored, and what goes on after them. Pure.

A turn re-enters at most three times after a summary of its last step, and a summary that is
empty, late or no shorter than what it stands for leaves the history as it is.
"""

from dataclasses import replace

from server.llm import ModelError, Role
from server.loop import compaction
from server.loop.answers import refusal
from server.loop.asking import ask_for_summary
from server.loop.moves import Moved, call, milliseconds, stop, store
from server.loop.outcome import Failed, Limited, Outcome, Stopped
from server.loop.state import (
    Answer,
    Answered,
    Broke,
    Commit,
    Compact,
    Folding,
    Load,
    Phase,
    Refused,
    Say,
    State,
    Stored,
)
from server.loop.weight import weigh


def is_possible(state: State) -> bool:
    """Tell whether another summary may help: there is something to fold, and it did help so far."""
    spoken = any(message.role is Role.ASSISTANT for message in state.messages)
    return spoken and state.failures < compaction.MAX_FAILURES


def is_due(state: State) -> bool:
    """Tell whether the last answer had so much before it that the history is to be folded."""
    return compaction.is_due(state.turn, state.context, state.context_limit)


def automatic(state: State, ends: Outcome | None) -> Moved:
    """Fold after a step. Where the turn would end the model goes on with the summary instead."""
    reenter = ends is not None and state.reentries < compaction.MAX_REENTRIES
    return _begin(state, compaction.AUTOMATIC, ends=ends, reenter=reenter)


def manual(state: State, ends: Outcome | None) -> Moved:
    """Fold because somebody asked for it."""
    return _begin(state, compaction.MANUAL, ends=ends)


def squeeze(state: State, because: ModelError | None) -> Moved:
    """Fold what fits of a history that is too long for the model, once for each answer."""
    state = replace(state, squeezed=True)
    return _begin(state, compaction.AUTOMATIC, ends=None, because=because)


def _begin(
    state: State,
    source: str,
    *,
    ends: Outcome | None,
    reenter: bool = False,
    because: ModelError | None = None,
) -> Moved:
    number = state.folds + 1
    begun = compaction.begun(state.turn, state.seed, number, source)
    under_way = Folding(
        call=begun,
        source=source,
        context_tokens=state.context or weigh(state.messages),
        replaced=compaction.weight_of(state.messages),
        pending=compaction.pending(state.messages),
        because=because,
        reenter=reenter,
    )
    state = replace(state, ends=ends, due=False, folds=number, chain="", folding=under_way)
    too_long = state.squeezed
    try:
        asked = ask_for_summary(state.turn, state.messages, squeeze=too_long)
    except ModelError as error:
        return stop(state, Failed(error))
    effect = Compact(asked.engine, asked.request, asked.at_most, compaction.SECONDS)
    return replace(state, phase=Phase.COMPACTING), (Say(begun), effect)


def summarised(state: State, event: Answered) -> Moved:
    """Store the summary in place of the history, or why it is of no use."""
    under_way = _under_way(state)
    turn = state.turn
    engine = turn.summarizer or turn.engine
    answer = Answer(event.parts, event.finished)
    spent = milliseconds(state, event.at)
    why = compaction.failure(answer, under_way)
    if why:
        return _keep_history(state, answer, why, spent)
    limit = state.context_limit or compaction.limit(turn, None)
    told = compaction.result(turn, under_way, answer, limit)
    rows = compaction.rows(answer, under_way, told, engine, spent)
    last = None if under_way.reenter else state.ends
    return store(state, Phase.FOLDING, Commit(rows, last=last), told)


def broke(state: State, event: Broke) -> Moved:
    """Store that nobody summarised the history."""
    why = f"There is no summary, and the history was kept as it is. {event.error.message}"
    return _keep_history(state, Answer((), None), why, milliseconds(state, event.at))


def _keep_history(state: State, answer: Answer, why: str, spent: int) -> Moved:
    """Store a summary that came to nothing. People see why; it may have cost something."""
    under_way = _under_way(state)
    told = refusal(under_way.call, why)
    engine = state.turn.summarizer or state.turn.engine
    rows = compaction.failed_rows(answer, under_way, told, engine, spent)
    ends = Failed(under_way.because) if under_way.because else state.ends
    state = replace(
        state,
        ends=ends,
        failures=state.failures + 1,
        folding=replace(under_way, failed=True, reenter=False),
    )
    return store(state, Phase.FOLDING, Commit(rows, last=ends), told)


def refused(state: State, event: Refused) -> Moved:
    """Keep the history, since nobody pays for a summary; an answer that is there stays."""
    said = Say(refusal(_under_way(state).call, event.message))
    return stop(state, state.ends or Limited(event.message), said)


def folded(state: State, event: Stored) -> Moved:
    """Go on with the summary, or with the history that was kept."""
    under_way = _under_way(state)
    state = replace(state, folding=None, began=event.at)
    if state.ends is not None and not under_way.reenter:
        return stop(state, state.ends)
    if event.cause is not None:
        return stop(state, Stopped(event.cause))
    if under_way.failed:
        return call(state)
    return replace(
        state,
        phase=Phase.LOADING,
        reentries=state.reentries + (1 if under_way.reenter else 0),
        ends=None,
        fresh=True,
    ), (Load(),)


def _under_way(state: State) -> Folding:
    assert state.folding is not None
    return state.folding
