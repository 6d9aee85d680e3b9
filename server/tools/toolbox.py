"""Which tools a turn has: a table, and what wraps them.

Source: reference, chats, section 4.1. Order and prose are constant: prompt caches hold with them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from server.llm import ToolSpec
from server.loop import Tool, Toolbox
from server.tools.bench import Bench
from server.tools.capped import LIMIT, Capped
from server.tools.files import attach_file, edit_files, read_file, write_file
from server.tools.link import WorkspaceLink
from server.tools.means import Means
from server.tools.planning import ask_user_question, propose_plan
from server.tools.ports import ChatFacts, ChatPort
from server.tools.shell import (
    execute,
    parsed_commands,
    process_list,
    process_output,
    process_signal,
)
from server.tools.skills import read_skill, read_skill_file
from server.tools.subagents import (
    close_agent,
    interrupt_agent,
    list_agents,
    message_agent,
    spawn_agent,
    spawn_computer_use_agent,
    spawn_explore_agent,
    wait_agent,
)
from server.tools.workspaces import (
    create_workspace,
    list_templates,
    read_template,
    start_workspace,
    stop_workspace,
)


class Seat(StrEnum):
    """Whose turn it is: what a chat is decides what it may do."""

    ROOT = "root"
    CHILD = "child"
    EXPLORE = "explore"
    PLAN_ROOT = "plan root"
    PLAN_CHILD = "plan child"


def seat(facts: ChatFacts) -> Seat:
    """Return the seat of a chat."""
    if facts.is_root:
        return Seat.PLAN_ROOT if facts.planning else Seat.ROOT
    if facts.mode == "explore":
        return Seat.EXPLORE
    return Seat.PLAN_CHILD if facts.planning else Seat.CHILD


EVERYBODY: Final = frozenset(Seat)
WORKERS: Final = frozenset({Seat.ROOT, Seat.CHILD})
WRITERS: Final = WORKERS | {Seat.PLAN_ROOT}
ROOTS: Final = frozenset({Seat.ROOT, Seat.PLAN_ROOT})
ROOT: Final = frozenset({Seat.ROOT})
PLANNER: Final = frozenset({Seat.PLAN_ROOT})


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool, whose it is, and how large its answers may be."""

    make: Callable[[Bench], Tool]
    seats: frozenset[Seat]
    limit: int = LIMIT
    offered: bool = True
    """Else it answers when it is called: the older name of another one."""


OFFERS: Final = (
    Offer(execute, EVERYBODY),
    Offer(process_output, EVERYBODY),
    Offer(process_list, WORKERS),
    Offer(process_signal, WORKERS),
    Offer(read_file, EVERYBODY),
    # In plan mode these write the plan file only.
    Offer(write_file, WRITERS),
    Offer(edit_files, WRITERS),
    Offer(list_templates, ROOTS),
    Offer(read_template, ROOTS),
    Offer(create_workspace, ROOTS),
    Offer(start_workspace, ROOTS),
    Offer(stop_workspace, ROOT),
    Offer(propose_plan, PLANNER),
    Offer(ask_user_question, PLANNER),
    Offer(spawn_agent, ROOTS),
    Offer(wait_agent, ROOTS),
    Offer(message_agent, ROOT),
    Offer(close_agent, ROOT),
    Offer(list_agents, ROOT),
    Offer(read_skill, EVERYBODY, limit=2 * LIMIT),
    Offer(read_skill_file, EVERYBODY, limit=9 * LIMIT),
    Offer(attach_file, WORKERS),
    Offer(spawn_explore_agent, ROOTS, offered=False),
    Offer(spawn_computer_use_agent, ROOTS, offered=False),
    Offer(interrupt_agent, ROOT, offered=False),
)
WEB_SEARCH: Final = EVERYBODY
"""Whose requests may offer the provider's own search: it is the provider's tool, not ours."""


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
    bench, of = Bench(means, facts, port, link), seat(facts)
    mine = [offer for offer in OFFERS if of in offer.seats]
    made = [(offer, Capped(offer.make(bench), offer.limit)) for offer in mine]
    tools = tuple(tool for offer, tool in made if offer.offered)
    also = tuple(tool for offer, tool in made if not offer.offered)
    taken = {tool.spec.name for _, tool in made}
    dynamic = extras.dynamic if extras and of is Seat.ROOT else ()
    return Toolbox(
        tools=tools,
        dynamic=tuple(spec for spec in dynamic if spec.name not in taken),
        also=also,
        commands={"execute": lambda args: parsed_commands(str(args.get("command", "")))},
    )


def offers_web_search(facts: ChatFacts, *, enabled: bool) -> bool:
    """Tell whether a turn's requests offer the provider's own search, where its model has one."""
    return enabled and seat(facts) in WEB_SEARCH
