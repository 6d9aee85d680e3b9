"""Where a turn's steps are kept and told: implemented by chats, and by lists in tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from server.llm import (
    Message,
    ModelError,
    Part,
    Prices,
    Role,
    StreamEvent,
    ToolCall,
    ToolResult,
    Usage,
)
from server.loop.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Row:
    """A message to be stored: one of a step's batch. JSON is made before the transaction."""

    role: Role
    parts: tuple[Part, ...]
    visibility: str = "both"
    compressed: bool = False
    usage: Usage | None = None
    cost_micros: int | None = None
    prices: Prices | None = None
    runtime_ms: int | None = None
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class Retrying:
    """A call failed and is made again at ``at``; ``attempt`` counts from 1."""

    attempt: int
    delay_ms: int
    error: ModelError
    at: datetime


class LeaseLost(Exception):
    """Somebody else runs this chat now, or its history was cut: nothing was stored."""


class LimitReached(Exception):
    """No more money: the message is a sentence with the amounts."""


class Ledger(Protocol):
    """A turn's way to the database. Every write checks that the turn still owns the chat."""

    async def history(self) -> tuple[Message, ...]:
        """Return the prompt view: compaction applied, model-visible rows, oldest first.

        Files carry their ``data``; one that has none is gone.
        """
        ...

    async def admit(self, at_most_micros: int | None) -> None:
        """Ask whether a call that costs this at most may be made (None: unpriced).

        Raises:
            LimitReached: the owner's or the deployment's money is spent.
        """
        ...

    async def paid(self, cost_micros: int | None) -> None:
        """Tell what the call that was admitted has cost, before its tools run.

        Tools may wait for sub-agents, whose calls wait for what is set aside; the step is stored
        only after the tools. It costs nothing where nothing is limited.
        """
        ...

    async def commit(
        self, rows: Sequence[Row], *, interrupted: bool = False, last: Outcome | None = None
    ) -> tuple[int, ...]:
        """Store one step in one transaction, and tell; return the ids of its rows.

        Never cancelled: who stops a turn waits for it.

        Args:
            rows: what is new, in its order; never empty.
            interrupted: it is the last word of a turn that was stopped.
            last: how the turn ends with this step, where it does; the chat may be given back in
                the same transaction. A turn that ends without a row tells it by its outcome only.

        Raises:
            LeaseLost: the chat is no longer this turn's; nothing was stored.
        """
        ...


class Voice(Protocol):
    """What listeners hear before anything is stored. Never blocks, may be lost."""

    def say(self, event: StreamEvent) -> None:
        """Tell a delta of the model's."""
        ...

    def call(self, call: ToolCall) -> None:
        """Tell a call that no stream told, such as that of a compaction."""
        ...

    def result(self, result: ToolResult) -> None:
        """Tell what a tool answered."""
        ...

    def retrying(self, retrying: Retrying) -> None:
        """Tell that what was said of this step is void, and when it is tried again."""
        ...
