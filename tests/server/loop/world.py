"""A loop's surroundings as lists: a model that plays answers, a ledger, a voice, tools."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from server.llm import (
    CallOptions,
    Finish,
    Finished,
    Json,
    Message,
    ModelError,
    Part,
    PartDone,
    Prices,
    Reasoning,
    ReasoningDelta,
    Request,
    Role,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    ToolSpec,
    Usage,
)
from server.loop import (
    Call,
    Engine,
    LeaseLost,
    LimitReached,
    Outcome,
    Result,
    Retrying,
    Row,
    Switch,
    Toolbox,
    Turn,
    run,
)
from tests.support.clock import FakeClock

CHAT = UUID(int=7)
PRICES = Prices("test", input=Decimal(3), output=Decimal(15))
USED = Usage(input_tokens=100, output_tokens=10)
Scene = Callable[[Request], AsyncGenerator[StreamEvent]]


@dataclass
class Says:
    """An answer, delta by delta."""

    parts: tuple[Part, ...]
    finish: Finish = Finish.STOP
    usage: Usage = USED
    response_id: str = ""
    before: Callable[[], object] | None = None
    """Done before the last event."""

    async def __call__(self, request: Request) -> AsyncGenerator[StreamEvent]:
        for index, part in enumerate(self.parts):
            for delta in deltas(index, part):
                yield delta
            yield PartDone(index, part)
        if self.before:
            self.before()
        yield Finished(self.parts, self.usage, self.finish, response_id=self.response_id)


def deltas(index: int, part: Part) -> list[StreamEvent]:
    match part:
        case Text():
            return [TextDelta(index, word) for word in part.text.split()]
        case Reasoning():
            return [ReasoningDelta(index, part.text)]
        case ToolCall():
            return [ToolCallDelta(index, part.id, part.name, part.args, part.provider_executed)]
        case _:
            return []


def says(text: str, **more: object) -> Says:
    return Says((Text(text),), **more)  # type: ignore[arg-type]


def uses(*calls: ToolCall, text: str = "", **more: object) -> Says:
    parts: tuple[Part, ...] = (Text(text), *calls) if text else calls
    return Says(parts, Finish.TOOL_CALLS, **more)  # type: ignore[arg-type]


def fails(error: ModelError) -> Scene:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        raise error
        yield

    return scene


@dataclass
class ListModel:
    """Plays scenes in their order, and keeps what it was asked."""

    scenes: list[Scene]
    provider: str = "anthropic"
    name: str = "model"
    asked: list[Request] = field(default_factory=list[Request])

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        self.asked.append(request)
        scene = self.scenes.pop(0)(request)
        try:
            async for event in scene:
                yield event
        finally:
            await scene.aclose()


@dataclass
class ListLedger:
    """Keeps rows as C's statement shows them: the newest summary, and what came after it."""

    messages: list[Message] = field(default_factory=list[Message])
    commits: list[tuple[list[Row], bool, Outcome | None]] = field(
        default_factory=list[tuple[list[Row], bool, Outcome | None]]
    )
    admitted: list[int | None] = field(default_factory=list[int | None])
    paid_for: list[int | None] = field(default_factory=list[int | None])
    reads: int = 0
    limit_after: int | None = None
    lost: bool = False
    committing: Callable[[], Awaitable[None]] | None = None

    async def history(self) -> tuple[Message, ...]:
        self.reads += 1
        return tuple(self.messages)

    async def admit(self, at_most_micros: int | None) -> None:
        if self.limit_after is not None and len(self.admitted) >= self.limit_after:
            raise LimitReached("You have used $5.00 of $5.00.")
        self.admitted.append(at_most_micros)

    async def paid(self, cost_micros: int | None) -> None:
        self.paid_for.append(cost_micros)

    async def commit(
        self, rows: Sequence[Row], *, interrupted: bool = False, last: Outcome | None = None
    ) -> tuple[int, ...]:
        if self.committing:
            await self.committing()
        if self.lost:
            raise LeaseLost
        assert rows
        self.commits.append((list(rows), interrupted, last))
        if any(row.compressed and row.visibility == "model" for row in rows):
            self.messages = [m for m in self.messages if m.role is Role.SYSTEM]
        for row in rows:
            if row.visibility != "user" and not (row.compressed and row.visibility == "both"):
                self.messages.append(Message(row.role, row.parts))
        return tuple(range(len(rows)))

    @property
    def rows(self) -> list[Row]:
        return [row for rows, _, _ in self.commits for row in rows]

    @property
    def results(self) -> dict[str, ToolResult]:
        parts = [part for row in self.rows for part in row.parts]
        return {part.id: part for part in parts if isinstance(part, ToolResult)}


@dataclass
class ListVoice:
    """Hears everything."""

    events: list[StreamEvent] = field(default_factory=list[StreamEvent])
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    results: list[ToolResult] = field(default_factory=list[ToolResult])
    retries: list[Retrying] = field(default_factory=list[Retrying])

    def say(self, event: StreamEvent) -> None:
        self.events.append(event)

    def call(self, call: ToolCall) -> None:
        self.calls.append(call)

    def result(self, result: ToolResult) -> None:
        self.results.append(result)

    def retrying(self, retrying: Retrying) -> None:
        self.retries.append(retrying)


@dataclass
class FunctionTool:
    """A tool from a function of its arguments."""

    name: str
    work: Callable[[Mapping[str, Json]], Awaitable[Result]]

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, f"Does {self.name}.", {"type": "object"})

    async def __call__(self, call: Call) -> Result:
        return await self.work(call.args)


def tool(name: str, value: Json = "ok", **more: bool) -> FunctionTool:
    async def work(args: Mapping[str, Json]) -> Result:
        return Result(value, **more)

    return FunctionTool(name, work)


class Stage:
    """A turn with everything around it."""

    def __init__(
        self,
        *scenes: Scene,
        tools: Sequence[FunctionTool] = (),
        history: Sequence[Message] | None = None,
        provider: str = "anthropic",
        **turn: object,
    ) -> None:
        self.model = ListModel(list(scenes), provider)
        self.ledger = ListLedger(list(asks("hello") if history is None else history))
        self.voice = ListVoice()
        self.clock = FakeClock()
        self.switch = Switch()
        self.turn = Turn(
            CHAT,
            Engine(self.model, 1000, CallOptions(max_output_tokens=100), PRICES),
            Toolbox(tuple(tools)),
        )
        self.turn = replace(self.turn, **turn)

    async def run(self) -> Outcome:
        return await asyncio.wait_for(
            run(self.turn, self.ledger, self.voice, self.clock, self.switch), 20
        )


def asks(text: str) -> list[Message]:
    return [Message(Role.USER, (Text(text),))]


def system(text: str) -> Message:
    return Message(Role.SYSTEM, (Text(text),))
