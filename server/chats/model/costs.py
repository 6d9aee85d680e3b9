"""What calls of models came to, summed up in several ways; the names are those of the wire."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.chats.model.spending import Standing


@dataclass(frozen=True, slots=True)
class Sums:
    """What some calls of models came to."""

    total_cost_micros: int
    message_count: int
    priced_message_count: int
    unpriced_message_count: int
    total_input_tokens: int
    total_output_tokens: int
    total_reasoning_tokens: int
    total_cache_read_tokens: int
    total_cache_creation_tokens: int
    total_runtime_ms: int


@dataclass(frozen=True, slots=True)
class OfModel(Sums):
    """The calls of one model."""

    model_config_id: UUID
    display_name: str
    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class OfRoot(Sums):
    """The calls of a root chat and its sub-agents."""

    root_chat_id: UUID
    chat_title: str


@dataclass(frozen=True, slots=True)
class OfChat(Sums):
    """The calls of one chat alone."""

    chat_id: UUID
    parent_chat_id: UUID | None
    title: str


@dataclass(frozen=True, slots=True)
class OfUser(Sums):
    """The calls of a user's chats; ``matching`` is how many users there are in all."""

    user_id: UUID
    username: str
    name: str
    avatar_url: str
    matching: int
    chat_count: int


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to before ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """What a user's chats came to; ``standing`` is how they stand in the present period."""

    span: Span
    totals: Sums
    by_model: list[OfModel]
    by_chat: list[OfRoot]
    standing: Standing | None
