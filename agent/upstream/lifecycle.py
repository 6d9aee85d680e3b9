"""The agent's life as a table of moves, and the order in which it is told. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from coder_cli.sdk.agentapi import Lifecycle
from coder_cli.sdk.agentapi import LifecycleState as State

_LAST: Final = frozenset({State.SHUTDOWN_TIMEOUT, State.SHUTDOWN_ERROR, State.OFF})

MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.CREATED: frozenset({State.STARTING, State.SHUTTING_DOWN}),
    State.STARTING: frozenset(
        {State.START_TIMEOUT, State.START_ERROR, State.READY, State.SHUTTING_DOWN}
    ),
    State.START_TIMEOUT: frozenset({State.SHUTTING_DOWN}),
    State.START_ERROR: frozenset({State.SHUTTING_DOWN}),
    State.READY: frozenset({State.SHUTTING_DOWN}),
    State.SHUTTING_DOWN: _LAST,
    State.SHUTDOWN_TIMEOUT: frozenset(),
    State.SHUTDOWN_ERROR: frozenset(),
    State.OFF: frozenset(),
}


class Life:
    """Where the agent stands. A move that the table does not have is ignored."""

    def __init__(self) -> None:
        self.state = State.CREATED
        self.history: list[Lifecycle] = []
        """All that was reported, in order: a new row of this agent is told everything again."""

    def enter(self, state: State, now: datetime) -> Lifecycle | None:
        """Move to ``state``; return what to report, or None if there is no such move."""
        if state not in MOVES[self.state]:
            return None
        self.state = state
        self.history.append(report := Lifecycle(state, now))
        return report
