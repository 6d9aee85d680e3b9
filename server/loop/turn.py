"""What one turn runs with: made once when it begins, and never changed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from server.llm import CallOptions, ContextFile, Model, Prices, Skill
from server.loop.retries import MAX_CALLS
from server.loop.tool import Toolbox

MAX_STEPS = 1200
"""Source: reference, chats, section 1.19."""


Found: TypeAlias = tuple[ContextFile | Skill, ...]
"""What a workspace tells about itself: its instruction files, and the names of its skills."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A model, how it is called, and what it costs."""

    model: Model
    context_limit: int
    options: CallOptions = field(default_factory=CallOptions)
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class Layers:
    """What a model is told besides the rows of the chat; see ``layers.apply``."""

    child: bool = False
    explore: bool = False
    planning: bool = False
    plan_path: str = ""
    plan_instructions: str = ""
    """An administrator's, for all who plan."""
    personal: str = ""
    """The owner's own prompt."""
    context: Found = ()
    """What was found in the workspace; left out while the history holds it itself."""
    notices: tuple[str, ...] = ()
    """What is new since the last turn; said at the end, so that the prefix stays what it was."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one chat."""

    chat_id: UUID
    engine: Engine
    toolbox: Toolbox = field(default_factory=Toolbox)
    layers: Layers = field(default_factory=Layers)
    summarizer: Engine | None = None
    """Who writes summaries, if somebody else does; the stricter context limit counts."""
    threshold_percent: int = 70
    """Of the context limit: from there on the history is summarised. 100 is never."""
    web_search: bool = False
    stores: bool = False
    """The provider keeps answers (OpenAI ``store``): reasoning is not sent again."""
    chain_from: str = ""
    """The last answer's id at the provider, if it stores and the same model config wrote it."""
    compact: bool = False
    """Somebody asked for a summary now; without an open question the turn ends after it."""
    max_steps: int = MAX_STEPS
    max_calls: int = MAX_CALLS
    look: Callable[[], Awaitable[Found]] | None = None
    """Tells what is found in the workspace of now, after each use of tools: one that was made or
    started meanwhile has instructions of its own. Quick where nothing changed."""
