"""The graph of units: a table of what it answers, and what it refuses."""

import random
from collections.abc import Callable

import pytest

from agent.units import (
    AlreadyCompleted,
    Cycle,
    Dependency,
    NotReady,
    SameStatus,
    Status,
    TooMany,
    UnitError,
    Units,
    UnknownUnit,
    WrongName,
    graph,
)

ODD_NAMES = [
    "claude",
    "two words",
    "it's",
    'say "hi"',
    "back\\slash",
    "new\nline",
    "tab\t",
    "-o",
    "--timeout",
    "a/b?c=d&e#f",
    "%s {0} $HOME `id`",
    "\x1b[31mred",
    "\x7f\x00",
    "ünïcode 日本語 🚀",
    "\u202eabc",
    "\udcff",
    " ",
    "x" * 1024,
]


def test_the_seeds_example() -> None:
    """Seed: claude wants git, and begins when git has completed."""
    units = Units()
    units.want("claude", ["git"])
    with pytest.raises(NotReady):
        units.start("claude")
    units.start("git")
    assert units.get("claude").missing == (Dependency("git", Status.STARTED),)
    assert units.complete("git") == ("claude",)
    units.start("claude")
    units.complete("claude")
    assert [unit.status for unit in units.all()] == [Status.COMPLETED] * 2


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_names_are_arbitrary(name: str) -> None:
    """Seed: unit names are arbitrary strings."""
    units = Units()
    units.want("after", [name])
    units.want(name, ["before"])
    with pytest.raises(NotReady) as refusal:
        units.start(name)
    assert str(refusal.value).isprintable()
    units.start("before")
    assert units.complete("before") == (name,)
    units.start(name)
    assert units.complete(name) == ("after",)
    with pytest.raises(Cycle) as cycle:
        units.want(name, ["after"])
    assert str(cycle.value).isprintable()


@pytest.mark.parametrize(("name", "why"), [("", "needs a name"), ("x" * 1025, "1024 characters")])
def test_names_that_are_none(name: str, why: str) -> None:
    units = Units()
    calls: list[Callable[[], object]] = [
        lambda: units.want(name, ["b"]),
        lambda: units.want("a", ["b", name]),
        lambda: units.start(name),
        lambda: units.complete(name),
        lambda: units.get(name),
    ]
    for call in calls:
        with pytest.raises(WrongName, match=why):
            call()
    assert units == Units()


def test_a_unit_may_want_what_nobody_has_spoken_of() -> None:
    units = Units()
    units.want("a", ["later"])
    assert [unit.name for unit in units.all()] == ["a"]
    assert units.get("a").dependencies == (Dependency("later", Status.NOT_REGISTERED),)
    assert units.get("later").status is Status.NOT_REGISTERED


def test_several_dependencies_keep_their_order_and_are_wanted_once() -> None:
    units = Units()
    units.want("a", ["z", "b", "z"])
    units.want("a", ["b", "c"])
    assert [one.on for one in units.get("a").dependencies] == ["z", "b", "c"]


def test_whoever_wants_nothing_starts_at_once() -> None:
    units = Units()
    units.start("alone")
    assert units.get("alone").status is Status.STARTED


def test_a_unit_starts_and_completes_once() -> None:
    units = Units()
    units.start("a")
    with pytest.raises(SameStatus, match=r'^cannot start unit "a": same status already set$'):
        units.start("a")
    units.complete("a")
    with pytest.raises(SameStatus, match=r'^cannot complete unit "a": same status already set$'):
        units.complete("a")
    with pytest.raises(AlreadyCompleted, match="it has completed"):
        units.start("a")


def test_complete_without_a_start_frees_who_waits() -> None:
    """A script completes its unit on every way out, also when the start was refused."""
    units = Units()
    units.want("a", ["b"])
    units.want("c", ["a"])
    assert units.complete("a") == ("c",)


def test_complete_of_what_nobody_knows() -> None:
    with pytest.raises(UnknownUnit, match=r'^cannot complete unit "a": unit not found$'):
        Units().complete("a")


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_a_cycle_is_refused_and_leaves_the_graph_unchanged(length: int) -> None:
    units, twin = Units(), Units()
    for each in (units, twin):
        for number in range(length - 1):
            each.want(str(number), [str(number + 1)])
    with pytest.raises(Cycle) as refusal:
        units.want(str(length - 1), ["fine", "0"])
    way = " -> ".join(map(str, [length - 1, *range(length)]))
    assert str(refusal.value) == (
        f'cannot add dependency: adding edge for unit "{length - 1}": failed to add dependency: '
        f"adding edge ({length - 1} -> 0) would create a cycle: {way}"
    )
    assert units == twin


def test_the_graph_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_UNITS", 2)
    monkeypatch.setattr(graph, "MOST_EDGES", 3)
    units = Units()
    units.want("a", ["x", "y"])
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: units.want("b", ["x", "y"]), "3 dependencies at most"),
        (lambda: units.start("c"), "2 units at most"),
    ]
    units.want("b", ["x"])
    for call, why in refused:
        with pytest.raises(TooMany, match=why):
            call()
    assert [unit.name for unit in units.all()] == ["a", "b"]
    units.want("b", ["x"])


@pytest.mark.parametrize("seed", range(5))
def test_200_units_start_in_a_valid_order_each_exactly_once(seed: int) -> None:
    luck = random.Random(seed)
    order = [f"unit {number}" for number in range(200)]
    luck.shuffle(order)
    wants = {
        name: luck.sample(order[:at], k=min(at, luck.randrange(6))) for at, name in enumerate(order)
    }
    units = Units()
    for name in luck.sample(order, k=200):
        if wants[name]:
            units.want(name, wants[name])
    started: list[str] = []
    running: set[str] = set()
    while len(started) < 200:
        ready = [name for name in order if name not in started and _starts(units, name)]
        started += ready
        running |= set(ready)
        done = luck.choice(sorted(running))
        running.discard(done)
        units.complete(done)
    assert sorted(started) == sorted(order)
    position = {name: at for at, name in enumerate(started)}
    assert all(position[on] < position[name] for name in order for on in wants[name])


def _starts(units: Units, name: str) -> bool:
    try:
        units.start(name)
    except UnitError:
        return False
    return True
