"""The seam to models: a request in, a stream of events out; every provider looks the same.

``scripted``, real providers and a test's model implement ``Model``. Nothing here knows chats.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

from server.llm.parts import Json, Message, Part


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it; ``schema`` is JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Json]


class ToolChoice(StrEnum):
    """Whether the model may call tools."""

    AUTO = "auto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens of each class; None is unknown. ``source`` says who told."""

    source: str
    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How to call: the checked ``model_config`` of a model, for one purpose."""

    max_output_tokens: int = 32_000
    reasoning_effort: str = ""
    values: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """The rest of ``model_config``: temperature …, ``provider_options`` (section 1.10)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model. ``messages`` are repaired already (``server.loop``)."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice = ToolChoice.AUTO
    web_search: bool = False
    previous_response_id: str = ""
    """OpenAI Responses: continue after this answer, whose history is not sent again."""
    cache_key: str = ""
    """Stable over a chat; providers with a prompt cache route by it."""
    schema: Mapping[str, Json] | None = None
    """Answer with JSON of this schema instead of words (titles)."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; None is not told."""

    input_tokens: int | None = None
    """Not counting those read from or written to a cache."""
    output_tokens: int | None = None
    total_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_creation_tokens: int | None = None
    cache_read_tokens: int | None = None
    context_limit: int | None = None

    def context(self) -> int:
        """Return how many tokens of context the call used: what compaction measures."""
        told = (self.input_tokens, self.cache_read_tokens, self.cache_creation_tokens)
        return sum(count or 0 for count in told) or self.total_tokens or 0


class Finish(StrEnum):
    """Why a model stopped. Whether tools run depends on the parts, never on this alone."""

    STOP = "stop"
    TOOL_CALLS = "tool-calls"
    LENGTH = "length"
    CONTENT_FILTER = "content-filter"
    SUSPENDED = "suspended"
    """The provider paused a long turn of its own tools: send the same again."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More words of block ``index``."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More thinking of block ``index``."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The begin of a call (``id`` and ``name``), or more of its arguments."""

    index: int
    id: str
    name: str
    args: str = ""
    provider_executed: bool = False


@dataclass(frozen=True, slots=True)
class PartDone:
    """Block ``index`` is whole: this is what is stored of it."""

    index: int
    part: Part


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event: the whole answer. A stream that ends without it was cut off (an error)."""

    parts: tuple[Part, ...]
    usage: Usage
    finish: Finish
    raw_finish: str = ""
    response_id: str = ""
    cost_micros: int | None = None
    """What the provider says it cost (OpenRouter); None lets prices decide."""


StreamEvent: TypeAlias = TextDelta | ReasoningDelta | ToolCallDelta | PartDone | Finished


class Model(Protocol):
    """One model of one provider with a user's key inside; made per turn, holds no connection."""

    @property
    def provider(self) -> str:
        """Return the provider's name, as in ``chat_providers``."""
        ...

    @property
    def name(self) -> str:
        """Return the provider's name of the model."""
        ...

    def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        """Call the model. Closing the generator (or cancelling) frees the socket at once.

        Raises:
            ModelError: the call failed; ``kind`` says whether to try again.
        """
        ...
