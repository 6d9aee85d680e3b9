"""A model as a deployment offers it, and what a turn needs to call it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from server.llm import CallOptions, Credentials, Json, Prices

LARGE_CONTEXT = 500_000
"""From here on, a history is compacted early: nobody wants to pay for 70 % of it."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A row of ``chat_model_configs``; ``options`` are the checked ``model_config``."""

    id: UUID
    provider: str
    model: str
    display_name: str
    enabled: bool
    is_default: bool
    context_limit: int
    compression_threshold: int
    options: Mapping[str, Json]
    created_at: datetime
    updated_at: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that a turn needs to call a model for one person."""

    config: ModelConfig
    credentials: Credentials = field(repr=False)
    prices: Prices | None
    """What tokens cost now; None is unknown, and then costs are NULL, never 0."""
    options: CallOptions
    own_key: bool = False
    """The person's own key is used, not the deployment's."""


def default_threshold(context_limit: int) -> int:
    """Return at how many percent of the context a history is compacted unless said otherwise."""
    return 30 if context_limit >= LARGE_CONTEXT else 70
