"""What the pure core knows, what it is told, and what it wants done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from server.llm import Finished, Json, Message, ModelError, Part, Request, ToolCall, ToolResult
from server.loop.ledger import Row
from server.loop.outcome import Outcome
from server.loop.tool import Tool
from server.loop.turn import Engine, Found, Turn

# What happened ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loaded:
    """The history was read."""

    messages: tuple[Message, ...]
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A model has said everything; ``parts`` carry their times."""

    parts: tuple[Part, ...]
    finished: Finished
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Broke:
    """A call of a model failed; what had come of it is void."""

    error: ModelError
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """A call may not be made: there is no money for it."""

    message: str


@dataclass(frozen=True, slots=True)
class Waited:
    """The time before a retry is over."""


@dataclass(frozen=True, slots=True)
class Ran:
    """All tools of a step have answered; results by the id of their call."""

    results: Mapping[str, ToolResult]
    ends_turn: bool = False
    found: Found = ()
    """What the workspace of now tells about itself."""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch is committed; ``cause`` says that the turn was stopped meanwhile."""

    cause: str | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The turn was stopped, with what had come of an answer or of its tools by then."""

    cause: str
    parts: tuple[Part, ...] = ()
    results: Mapping[str, ToolResult] = field(default_factory=dict[str, ToolResult])
    at: float = 0.0


Event: TypeAlias = Loaded | Answered | Broke | Refused | Waited | Ran | Stored | Interrupted

# What is to be done ------------------------------------------------------------------------------
# All but `Say`, `Settle` and `Stop` are answered by one event, and come last.


@dataclass(frozen=True, slots=True)
class Load:
    """Read the history."""


@dataclass(frozen=True, slots=True)
class CallModel:
    """Ask for the money, then the model; tell what it says."""

    engine: Engine
    request: Request
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Compact:
    """Have a summary written, within ``seconds``; nobody hears it being written."""

    engine: Engine
    request: Request
    at_most: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Use:
    """One call that is run: the tool is known, the arguments are an object."""

    call: ToolCall
    tool: Tool
    args: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run all ``uses`` beside each other; tell their results and ``refused`` in call order."""

    uses: tuple[Use, ...]
    refused: Mapping[str, str]
    order: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Tell that it is tried again, and wait."""

    attempt: int
    seconds: float
    error: ModelError


@dataclass(frozen=True, slots=True)
class Commit:
    """Store rows in one transaction."""

    rows: tuple[Row, ...]
    interrupted: bool = False
    last: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """Tell a call or a result that no stream tells."""

    said: ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Settle:
    """Tell what the last call cost, before its tools take their time."""

    cost_micros: int | None


@dataclass(frozen=True, slots=True)
class Stop:
    """The turn is over."""

    outcome: Outcome


Effect: TypeAlias = Load | CallModel | Compact | RunTools | Wait | Commit | Say | Settle | Stop

# What is known -----------------------------------------------------------------------------------


class Phase(StrEnum):
    """What the turn waits for."""

    LOADING = "loading"
    CALLING = "calling"
    WAITING = "waiting"
    USING = "using"
    STORING = "storing"
    COMPACTING = "compacting"
    FOLDING = "folding"
    """A summary is being stored."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose step is not stored yet."""

    parts: tuple[Part, ...]
    finished: Finished | None
    """None: it was cut off."""
    calls: tuple[ToolCall, ...] = ()
    """Those that we, or the client, must answer."""
    waiting: tuple[ToolCall, ...] = ()
    """Those of them that only the client can execute."""
    asked_tokens: int = 0
    """About what the model had read when it was cut off: nobody tells what that cost."""


@dataclass(frozen=True, slots=True)
class Folding:
    """A summary under way."""

    call: ToolCall
    source: str
    context_tokens: int
    replaced: int
    """What the history weighs that the summary stands for."""
    pending: tuple[Part, ...] = ()
    """The question that nobody has answered yet."""
    because: ModelError | None = None
    """The refusal of a history that is too long, where that is why."""
    reenter: bool = False
    """The turn would have ended: the model is asked once more, with the summary before it."""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what happens next. Values only."""

    turn: Turn
    seed: UUID
    """Makes the ids of this turn."""
    phase: Phase = Phase.LOADING
    messages: tuple[Message, ...] = ()
    """The layers, the rows, and what this turn added."""
    began: float = 0.0
    """When the step began, on the clock that never runs backwards."""
    steps: int = 0
    attempt: int = 0
    """Failed calls of this step."""
    chain: str = ""
    resuming: bool = False
    """The provider paused: its own calls are open, and the last answer goes back as it is."""
    cut_off: int = 0
    """Answers in a row that ended within a call."""
    answer: Answer | None = None
    results: Mapping[str, ToolResult] = field(default_factory=dict[str, ToolResult])
    rows: tuple[Row, ...] = ()
    """What is being stored."""
    ends: Outcome | None = None
    """How the turn ends after what is being stored; None goes on."""
    due: bool = False
    """The history is to be folded after this step, before anything ends."""
    folding: Folding | None = None
    folds: int = 0
    """Summaries begun in this turn: each has an id of its own."""
    reentries: int = 0
    failures: int = 0
    """Summaries that came to nothing, or did not help."""
    fresh: bool = False
    """The history begins with a summary, and nobody has answered to it yet."""
    squeezed: bool = False
    """The history was shortened because the model refused it, and it has not answered since."""
    context: int = 0
    """Tokens that the last answer had for a context."""
    context_limit: int = 0
