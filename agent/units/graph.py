"""The graph of units: who waits for whom, who has started, who is done. Pure.

A script is a *unit* under a name that it chooses. It says which units it wants completed first,
starts when they are, and says when it has completed itself.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from agent.units.errors import (
    AlreadyCompleted,
    Cycle,
    NotReady,
    SameStatus,
    TooMany,
    UnknownUnit,
    WrongName,
)

LONGEST_NAME: Final = 1024
MOST_UNITS: Final = 10_000
MOST_EDGES: Final = 100_000


class Status(StrEnum):
    """How far a unit is. It only ever goes forward."""

    NOT_REGISTERED = ""
    PENDING = "pending"
    STARTED = "started"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class Dependency:
    """One unit that another one waits for, and how that stands."""

    on: str
    current: Status
    required: Status = Status.COMPLETED

    @property
    def satisfied(self) -> bool:
        """Say whether nothing has to be waited for here."""
        return self.current is self.required


@dataclass(frozen=True, slots=True)
class Unit:
    """How a unit stands; a copy, which later changes leave alone."""

    name: str
    status: Status
    dependencies: tuple[Dependency, ...] = ()

    @property
    def ready(self) -> bool:
        """Say whether every dependency has completed."""
        return all(dependency.satisfied for dependency in self.dependencies)

    @property
    def missing(self) -> tuple[Dependency, ...]:
        """Return the dependencies that have not completed, in the order they were wanted."""
        return tuple(one for one in self.dependencies if not one.satisfied)


@dataclass(slots=True)
class Units:
    """All units of one agent. Every method changes all that it says, or raises and changes nothing.

    Dependencies need not exist: they are waited for until somebody completes them.
    """

    _status: dict[str, Status] = field(default_factory=dict[str, Status])
    _wants: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])
    """An ordered set for each unit that wants something."""
    _edges: int = 0

    def want(self, name: str, on: Sequence[str]) -> None:
        """Let ``name`` wait for the units ``on``; wanting the same twice is wanting it once.

        Raises:
            Cycle: a unit would wait for itself.
            WrongName, TooMany: the graph does not take these.
        """
        for each in (name, *on):
            _check(each)
        for each in on:
            if path := self._way(each, name):
                raise Cycle([name, *path])
        had = self._wants.get(name, {})
        new = dict.fromkeys(each for each in on if each not in had)
        if self._edges + len(new) > MOST_EDGES:
            raise TooMany("dependencies", MOST_EDGES)
        self.register(name)
        self._wants[name] = had | new
        self._edges += len(new)

    def register(self, name: str) -> None:
        """Make ``name`` known; a unit that is known already stays as it is.

        Raises:
            WrongName, TooMany: the graph does not take it.
        """
        _check(name)
        if name not in self._status:
            if len(self._status) >= MOST_UNITS:
                raise TooMany("units", MOST_UNITS)
            self._status[name] = Status.PENDING

    def start(self, name: str) -> None:
        """Let ``name`` begin, registering it if need be.

        Raises:
            NotReady: it must wait.
            SameStatus, AlreadyCompleted: it has begun before.
            WrongName, TooMany: the graph does not take it.
        """
        unit = self.check_start(name)
        if not unit.ready:
            raise NotReady(name)
        self.register(name)
        self._status[name] = Status.STARTED

    def check_start(self, name: str) -> Unit:
        """Return the unit if it may still start, now or later; raises as ``start`` does."""
        unit = self.get(name)
        match unit.status:
            case Status.STARTED:
                raise SameStatus("cannot start", name)
            case Status.COMPLETED:
                raise AlreadyCompleted(name)
            case Status.NOT_REGISTERED | Status.PENDING:
                return unit

    def complete(self, name: str) -> tuple[str, ...]:
        """Say that ``name`` is done, even if it never started; return whom that makes ready.

        A script says so on every way out, also when its ``start`` was refused.

        Raises:
            UnknownUnit: nobody has registered it.
            SameStatus: it was done before.
            WrongName: no unit can be called so.
        """
        _check(name)
        status = self._status.get(name)
        if status is None:
            raise UnknownUnit("cannot complete", name)
        if status is Status.COMPLETED:
            raise SameStatus("cannot complete", name)
        self._status[name] = Status.COMPLETED
        waiting = (unit for unit, wants in self._wants.items() if name in wants)
        return tuple(unit for unit in waiting if self.get(unit).ready)

    def get(self, name: str) -> Unit:
        """Return how ``name`` stands; one that nobody registered is ``NOT_REGISTERED``.

        Raises:
            WrongName: no unit can be called so.
        """
        _check(name)
        wants = self._wants.get(name, {})
        dependencies = tuple(Dependency(on, self._of(on)) for on in wants)
        return Unit(name, self._of(name), dependencies)

    def all(self) -> tuple[Unit, ...]:
        """Return every registered unit, in the order in which they were registered."""
        return tuple(self.get(name) for name in self._status)

    def _of(self, name: str) -> Status:
        return self._status.get(name, Status.NOT_REGISTERED)

    def _way(self, start: str, end: str) -> list[str]:
        """Return the shortest way over dependencies from ``start`` to ``end``, or nothing."""
        came_from: dict[str, str | None] = {start: None}
        queue = deque([start])
        while queue:
            name = queue.popleft()
            if name == end:
                break
            for on in self._wants.get(name, {}):
                if on not in came_from:
                    came_from[on] = name
                    queue.append(on)
        if end not in came_from:
            return []
        way: list[str] = []
        step: str | None = end
        while step is not None:
            way.append(step)
            step = came_from[step]
        return way[::-1]


def _check(name: str) -> None:
    if not name:
        raise WrongName("a unit needs a name")
    if len(name) > LONGEST_NAME:
        raise WrongName(f"the name of a unit has {LONGEST_NAME} characters at most")
