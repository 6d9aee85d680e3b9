"""How far an agent's life went, as the server keeps it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from coder_cli.sdk.agentapi import LifecycleState as State

ORDER = tuple(State)
"""As declared: from ``created`` to ``off``."""
_STARTED = frozenset({State.READY, State.START_ERROR, State.START_TIMEOUT})


@dataclass(frozen=True, slots=True)
class Life:
    """What is stored of an agent's life."""

    state: State
    started_at: datetime | None = None
    ready_at: datetime | None = None


def advance(life: Life, state: State, changed_at: datetime) -> Life | None:
    """Return the life after a report, or None when the report changes nothing.

    Life goes one way: a report of something past is late, and is ignored. Only ``starting`` at a
    later time than before begins anew: the agent's process was started again.
    """
    if state is State.STARTING:
        if life.started_at is not None and changed_at <= life.started_at:
            return None
        return Life(State.STARTING, started_at=changed_at)
    if ORDER.index(state) <= ORDER.index(life.state):
        return None
    return replace(life, state=state, ready_at=changed_at if state in _STARTED else life.ready_at)
