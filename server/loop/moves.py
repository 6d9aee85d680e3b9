"""The few moves that rules share: ask the model, store rows, end. Pure."""

from dataclasses import replace
from typing import TypeAlias

from server.llm import ModelError, ToolResult
from server.loop.asking import ask
from server.loop.outcome import Failed, Outcome
from server.loop.state import CallModel, Commit, Effect, Phase, Say, State, Stop

Moved: TypeAlias = tuple[State, tuple[Effect, ...]]


def call(state: State) -> Moved:
    """Ask the model for the next step. A history that nobody would take fails the turn instead."""
    try:
        asked = ask(state.turn, state.messages, chain=state.chain, resuming=state.resuming)
    except ModelError as error:
        return stop(state, Failed(error))
    effect = CallModel(asked.engine, asked.request, asked.at_most)
    return replace(state, phase=Phase.CALLING, ends=None, due=False), (effect,)


def stop(state: State, outcome: Outcome, *before: Effect) -> Moved:
    """End the turn."""
    return replace(state, phase=Phase.ENDED), (*before, Stop(outcome))


def store(
    state: State,
    phase: Phase,
    commit: Commit,
    told: ToolResult | None = None,
) -> Moved:
    """Store a batch, and wait for it in ``phase``."""
    said = () if told is None else (Say(told),)
    return replace(state, phase=phase, rows=commit.rows), (*said, commit)


def milliseconds(state: State, at: float) -> int:
    """Return how long the step has taken, with all its retries; never nothing."""
    return max(1, round((at - state.began) * 1000))
