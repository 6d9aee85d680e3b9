"""A model of a real provider behind our seam."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import cast

import httpx2
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelResponseStreamEvent, PartStartEvent
from pydantic_ai.models import Model as TheirModel
from pydantic_ai.models import ModelRequestParameters, StreamedResponse
from pydantic_ai.native_tools import WebSearchTool
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from server.llm.credentials import Credentials
from server.llm.errors import ErrorKind
from server.llm.failures import failure
from server.llm.model import (
    CallOptions,
    ReasoningDelta,
    Request,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
)
from server.llm.parts import Json, Message, Role, Text
from server.llm.wire import guard, outgoing, settings, vendors
from server.llm.wire.http import client
from server.llm.wire.incoming import Reader
from server.llm.wire.target import Format, Target, target

MOST_PARTS = 1000
"""Texts, thoughts and calls of one answer."""
_ONLY_JSON = "Answer with nothing but JSON of this schema, without a fence around it:"


@dataclass(frozen=True, slots=True)
class Line:
    """What calls of one provider share: the transport, how many may run, and how long to wait."""

    transport: httpx2.AsyncBaseTransport
    places: asyncio.Semaphore
    startup_seconds: float
    silence_seconds: float
    answer_characters: int


class WireModel:
    """A model of a provider, with a key; see ``server.llm.Model``."""

    def __init__(
        self, line: Line, credentials: Credentials, name: str, options: CallOptions
    ) -> None:
        self._line = line
        self._credentials = credentials
        self._name = name
        self._options = options

    @property
    def provider(self) -> str:
        """Return the provider's name."""
        return self._credentials.provider

    @property
    def name(self) -> str:
        """Return the provider's name of the model."""
        return self._name

    async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
        """Call the model.

        Raises:
            ModelError: the call failed.
        """
        begun = False
        try:
            async with self._line.places, AsyncExitStack() as stack:
                answer = await self._open(request, stack)
                reader, size, events = Reader(self.provider), 0, aiter(answer)
                while (told := await self._next(events)) is not None:
                    begun = True
                    for event in reader.read(told, answer):
                        size += _size(event)
                        yield event
                    self._bound(size, told)
                response = answer.get()
                guard.check(response, self.provider)
                for event in reader.finish(response):
                    yield event
        except Exception as error:
            secrets = [self._credentials.api_key, *self._credentials.headers.values()]
            raise guard.translated(error, self.provider, begun=begun, secrets=secrets) from error

    async def _open(self, request: Request, stack: AsyncExitStack) -> StreamedResponse:
        line, goal = self._line, target(self.provider, self._name, self._options, request)
        timeout = httpx2.Timeout(
            line.silence_seconds, connect=min(line.startup_seconds, line.silence_seconds)
        )
        http = client(line.transport, self._credentials.headers, timeout, self.provider)
        await stack.enter_async_context(http)
        made = settings.settings(goal, request) | {"timeout": line.silence_seconds}
        theirs = vendors.model(self._credentials, goal, http)
        native = _takes_schemas(theirs, goal)
        opening = model_request_stream(
            theirs,
            outgoing.history(_messages(request, native=native), goal),
            model_settings=cast("ModelSettings", made),
            model_request_parameters=_parameters(request, goal, native=native),
            instrument=False,
        )
        async with asyncio.timeout(line.startup_seconds):
            return await stack.enter_async_context(opening)

    async def _next(
        self, events: AsyncIterator[ModelResponseStreamEvent]
    ) -> ModelResponseStreamEvent | None:
        async with asyncio.timeout(self._line.silence_seconds):
            return await anext(events, None)

    def _bound(self, size: int, told: ModelResponseStreamEvent) -> None:
        most = self._line.answer_characters
        if size > most:
            said = f"The answer is longer than {most} characters."
            raise failure(self.provider, said, kind=ErrorKind.GENERIC)
        # Calls without arguments weigh nothing, and each is a row.
        if isinstance(told, PartStartEvent) and told.index >= MOST_PARTS:
            said = f"The answer has more than {MOST_PARTS} parts."
            raise failure(self.provider, said, kind=ErrorKind.GENERIC)


def _size(event: StreamEvent) -> int:
    match event:
        case TextDelta() | ReasoningDelta():
            return len(event.text)
        case ToolCallDelta():
            return len(event.args)
        case _:
            return 0


def _takes_schemas(theirs: TheirModel, goal: Target) -> bool:
    """Tell whether a model can be held to a schema by its provider."""
    known = goal.format in {Format.RESPONSES, Format.CHAT, Format.GOOGLE}
    return known and bool(theirs.profile.get("supports_json_schema_output"))


def _messages(request: Request, *, native: bool) -> tuple[Message, ...]:
    """Return the prompt; a schema that the provider cannot hold a model to is told in words."""
    if request.schema is None or native:
        return request.messages
    told = f"{_ONLY_JSON}\n{json.dumps(request.schema, sort_keys=True)}"
    return (*request.messages, Message(Role.USER, (Text(told),)))


def _parameters(request: Request, goal: Target, *, native: bool) -> ModelRequestParameters:
    strict = goal.block.get("strict_json_schema") is True
    made = ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=tool.name,
                description=tool.description,
                parameters_json_schema=dict(tool.schema),
                # Else a schema may be rewritten to what the provider calls strict.
                strict=strict,
            )
            for tool in request.tools
        ],
        native_tools=[_web_search(goal)] if request.web_search else [],
    )
    if request.schema is not None and native:
        made.output_mode = "native"
        made.output_object = OutputObjectDefinition(
            json_schema=dict(request.schema), name="answer", strict=False
        )
    return made


def _web_search(goal: Target) -> WebSearchTool:
    size = goal.block.get("search_context_size")
    return WebSearchTool(
        search_context_size=size if size in {"low", "medium", "high"} else "medium",  # pyright: ignore[reportArgumentType]
        allowed_domains=_domains(goal.block.get("allowed_domains")),
        blocked_domains=_domains(goal.block.get("blocked_domains")),
    )


def _domains(value: Json) -> list[str] | None:
    return [str(domain) for domain in cast("Sequence[Json]", value)] if value else None
