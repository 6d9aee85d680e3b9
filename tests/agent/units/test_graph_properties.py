"""Whatever is said to the graph, in whatever order: a model beside it knows what must be true."""

import copy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.units import (
    AlreadyCompleted,
    Cycle,
    NotReady,
    SameStatus,
    Status,
    Units,
    UnknownUnit,
)

NAMES = st.sampled_from([f"u{number}" for number in range(6)] + ["ö \n'\"", "-"])


class Graph(RuleBasedStateMachine):
    """Say want, start, complete and restart; the model is two plain collections."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        self.units = Units()
        self.status: dict[str, Status] = {}
        self.edges: set[tuple[str, str]] = set()

    @rule()
    def restart(self) -> None:
        """The agent starts anew and has forgotten everything."""
        self.begin()

    @rule(name=NAMES, on=st.lists(NAMES, min_size=1, max_size=3))
    def want(self, name: str, on: list[str]) -> None:
        before = copy.deepcopy(self.units)
        new = self.edges | {(name, each) for each in on}
        try:
            self.units.want(name, on)
        except Cycle:
            assert _cyclic(new)
            assert self.units == before
        else:
            assert not _cyclic(new)
            self.edges = new
            self.status.setdefault(name, Status.PENDING)

    @rule(name=NAMES)
    def start(self, name: str) -> None:
        before = copy.deepcopy(self.units)
        status = self.status.get(name, Status.NOT_REGISTERED)
        try:
            self.units.start(name)
        except SameStatus:
            assert status is Status.STARTED
        except AlreadyCompleted:
            assert status is Status.COMPLETED
        except NotReady:
            assert self.waits_for(name)
        else:
            assert status in (Status.NOT_REGISTERED, Status.PENDING)
            assert not self.waits_for(name)
            self.status[name] = Status.STARTED
            return
        assert self.units == before

    @rule(name=NAMES)
    def complete(self, name: str) -> None:
        before = copy.deepcopy(self.units)
        waiting = {unit for unit, on in self.edges if on == name}
        try:
            freed = self.units.complete(name)
        except UnknownUnit:
            assert name not in self.status
        except SameStatus:
            assert self.status[name] is Status.COMPLETED
        else:
            assert self.status[name] in (Status.PENDING, Status.STARTED)
            self.status[name] = Status.COMPLETED
            assert set(freed) == {unit for unit in waiting if not self.waits_for(unit)}
            return
        assert self.units == before

    @invariant()
    def agrees(self) -> None:
        assert {unit.name: unit.status for unit in self.units.all()} == self.status
        for unit in self.units.all():
            assert {(unit.name, one.on) for one in unit.dependencies} == {
                edge for edge in self.edges if edge[0] == unit.name
            }
            assert unit.ready == (not self.waits_for(unit.name))

    def waits_for(self, name: str) -> set[str]:
        return {
            on
            for unit, on in self.edges
            if unit == name and self.status.get(on) is not Status.COMPLETED
        }


def _cyclic(edges: set[tuple[str, str]]) -> bool:
    """Take away, again and again, whoever wants nothing; what is left goes in circles."""
    left = set(edges)
    while True:
        wanting = {unit for unit, _ in left}
        kept = {(unit, on) for unit, on in left if on in wanting}
        if kept == left:
            return bool(left)
        left = kept


class TestGraph(Graph.TestCase):
    settings = settings(max_examples=60, stateful_step_count=30, deadline=None, database=None)
