"""Messages as rows: of the log, of the queue, and on their way in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.llm import Role, Usage


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the log. ``content`` is JSON that ``llm.decode`` makes parts of."""

    id: int
    chat_id: UUID
    created_by: UUID | None
    model_config_id: UUID | None
    created_at: datetime
    role: Role
    content: Any
    content_version: int
    visibility: str
    compressed: bool
    deleted: bool
    revision: int
    reasoning_effort: str
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    reasoning_tokens: int | None
    cache_creation_tokens: int | None
    cache_read_tokens: int | None
    context_limit: int | None
    total_cost_micros: int | None
    runtime_ms: int | None
    provider_response_id: str | None
    provider: str = ""
    """Of the model that wrote it; filled in the prompt view only."""
    model: str = ""

    def __post_init__(self) -> None:
        """Read the role of the row as one of ours."""
        object.__setattr__(self, "role", Role(self.role))

    @property
    def usage(self) -> Usage | None:
        """Return what is known of its tokens; None when that is nothing."""
        usage = Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            total_tokens=self.total_tokens,
            reasoning_tokens=self.reasoning_tokens,
            cache_creation_tokens=self.cache_creation_tokens,
            cache_read_tokens=self.cache_read_tokens,
            context_limit=self.context_limit,
        )
        return usage if usage != Usage() else None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be stored. ``content`` and ``price`` are JSON already: no transaction waits."""

    role: Role
    content: str
    visibility: str = "both"
    compressed: bool = False
    created_by: UUID | None = None
    model_config_id: UUID | None = None
    reasoning_effort: str = ""
    usage: Usage | None = None
    cost_micros: int | None = None
    price: str | None = None
    runtime_ms: int | None = None
    response_id: str = ""
    created_at: datetime | None = None
    """None is now."""


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that waits until its chat is idle."""

    id: int
    chat_id: UUID
    content: Any
    model_config_id: UUID | None
    reasoning_effort: str
    created_by: UUID | None
    position: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Which messages are wanted: an open interval of ids."""

    limit: int = 50
    before_id: int | None = None
    after_id: int | None = None

    @property
    def forward(self) -> bool:
        """Tell whether the oldest come first."""
        return self.after_id is not None and self.before_id is None
