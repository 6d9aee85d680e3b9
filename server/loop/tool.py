"""A tool as the loop sees it: a shape, prose, and one coroutine. The loop knows none by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from server.llm import Json, ToolSpec


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a tool: ``args`` are parsed, and an object."""

    id: str
    args: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool answers: JSON for the model and for people. Failures are results too."""

    value: Json
    is_error: bool = False
    is_media: bool = False
    ends_turn: bool = False
    """The turn ends after this step (a plan was proposed, a question asked)."""


Parse: TypeAlias = Callable[[Mapping[str, Json]], tuple[tuple[str, ...], ...]]


class Tool(Protocol):
    """Whatever a model may call. Policy (limits, cutting, plan mode) wraps it."""

    @property
    def spec(self) -> ToolSpec:
        """Return how the model is told of it."""
        ...

    async def __call__(self, call: Call) -> Result:
        """Do it. What goes wrong comes back as ``Result(is_error=True)``; only bugs raise.

        Cancelled when the turn is interrupted; what runs in a workspace goes on there.
        """
        ...


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one turn, in a constant order (prompt caches hold only with it)."""

    tools: tuple[Tool, ...] = ()
    dynamic: tuple[ToolSpec, ...] = ()
    """Tools that the client executes: a call of one parks the turn."""
    also: tuple[Tool, ...] = ()
    """Tools that are not offered, but answer when a model calls them: older names of others."""
    exclusive: frozenset[str] = field(default_factory=frozenset[str])
    """Tools that must be called alone in a step."""
    commands: Mapping[str, Parse] = field(default_factory=dict[str, Parse])
    """Tools whose calls people see as commands, and how these are read out of the arguments."""
