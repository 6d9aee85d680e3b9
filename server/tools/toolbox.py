"""Which tools a turn has: a table, and what wraps them.

Source: reference, chats, section 4.1. Order and prose are constant: prompt caches hold with them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from server.llm import ToolSpec
from server.loop import Tool, Toolbox
from server.tools.bench import Bench
from server.tools.capped import Capped
from server.tools.link import WorkspaceLink
from server.tools.means import Means
from server.tools.ports import ChatFacts, ChatPort


class Seat(StrEnum):
    """Whose turn it is: what a chat is decides what it may do."""

    ROOT = "root"
    CHILD = "child"
    EXPLORE = "explore"
    PLAN_ROOT = "plan root"
    PLAN_CHILD = "plan child"


def seat(facts: ChatFacts) -> Seat:
    """Return the seat of a chat."""
    if not facts.is_root:
        if facts.mode == "explore":
            return Seat.EXPLORE
        return Seat.PLAN_CHILD if facts.planning else Seat.CHILD
    return Seat.PLAN_ROOT if facts.planning else Seat.ROOT


EVERYBODY = frozenset(Seat)
WORKERS = frozenset({Seat.ROOT, Seat.CHILD})
ROOTS = frozenset({Seat.ROOT, Seat.PLAN_ROOT})
ROOT = frozenset({Seat.ROOT})
PLANNER = frozenset({Seat.PLAN_ROOT})

AVAILABLE: Mapping[str, frozenset[Seat]] = MappingProxyType({})
MAKERS: Mapping[str, Callable[[Bench], Tool]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Extras:
    """What a turn brings along."""

    dynamic: tuple[ToolSpec, ...] = field(default_factory=tuple[ToolSpec, ...])
    """Tools that the chat's client executes; a built-in one of the same name wins."""


def toolbox(
    means: Means,
    facts: ChatFacts,
    port: ChatPort,
    link: WorkspaceLink,
    extras: Extras | None = None,
) -> Toolbox:
    """Return the tools of one turn of a chat."""
    bench = Bench(means, facts, port, link)
    of = seat(facts)
    tools = tuple(Capped(make(bench)) for name, make in MAKERS.items() if of in AVAILABLE[name])
    return Toolbox(tools=tools, dynamic=_dynamic(tools, extras, of))


def _dynamic(tools: tuple[Tool, ...], extras: Extras | None, of: Seat) -> tuple[ToolSpec, ...]:
    if extras is None or of is not Seat.ROOT:
        return ()
    taken = {tool.spec.name for tool in tools}
    return tuple(spec for spec in extras.dynamic if spec.name not in taken)


def offers_web_search(facts: ChatFacts, *, enabled: bool) -> bool:
    """Tell whether a turn's requests offer the provider's own search, where its model has one."""
    return enabled and seat(facts) in EVERYBODY
