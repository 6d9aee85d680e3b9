"""What a workspace tells about itself, for a turn that came to work in it after its begin.

Source: reference, chats, section 4.4: instructions of a workspace that was made or started by a
tool are loaded in the same turn. Seed 002: looking must not cost queries where nothing changed.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

from server import tools

TRIES = 2
"""How often one agent is asked in a turn: one that does not answer costs seconds each time."""


class Place(Protocol):
    """Where a turn works now, as far as is known without asking."""

    @property
    def workspace_id(self) -> UUID | None:
        """Return the workspace, if there is one."""
        ...

    @property
    def agent_id(self) -> UUID | None:
        """Return the agent that the chat is bound to."""
        ...


class Looker:
    """Looks around once for each agent that the turn works with."""

    def __init__(self, place: Place, find: Callable[[], Awaitable[tools.Found | None]]) -> None:
        self._place = place
        self._find = find
        self._tries: Counter[UUID] = Counter()

    async def __call__(self) -> tuple[Any, ...]:
        """Return what is found where the turn works now, or nothing if that was asked already."""
        key = self._place.agent_id or self._place.workspace_id
        if key is None or self._tries[key] >= TRIES:
            return ()
        self._tries[key] += 1
        found = await self._find()
        if found is None:
            return ()
        self._tries[key] = self._tries[found.agent_id] = TRIES
        return found.parts() if found.files or found.skills else ()
