"""The library's stream of an answer as our events, and its whole as our parts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from pydantic_ai.messages import (
    BaseToolCallPart,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    NativeToolCallPart,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolCallPartDelta,
)
from pydantic_ai.models import StreamedResponse

from server.llm.model import (
    Finish,
    Finished,
    PartDone,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from server.llm.parts import Json, Part, Provenance, Reasoning, Source, Text, ToolCall, ToolResult
from server.llm.wire import blobs

MAX_SOURCES = 50
_FINISHES: Mapping[str | None, Finish] = {
    "stop": Finish.STOP,
    "length": Finish.LENGTH,
    "content_filter": Finish.CONTENT_FILTER,
    "tool_call": Finish.TOOL_CALLS,
}


class Reader:
    """Reads one answer."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._calls: dict[int, ToolCallDelta] = {}
        self._done: dict[int, Part] = {}
        self._told = False
        """Whether a part carries the facts of the answer already; once is enough."""

    def read(
        self, event: ModelResponseStreamEvent, answer: StreamedResponse
    ) -> Iterator[StreamEvent]:
        """Return our events of one of the library's."""
        match event:
            case PartStartEvent(part=TextPart() | ThinkingPart() | BaseToolCallPart()):
                yield from self._started(event.index, event.part)
            case PartStartEvent() | PartEndEvent():
                yield from self._ended(event.index, event.part, _facts(answer))
            case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
                yield TextDelta(event.index, text)
            case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=str(text))) if text:
                yield ReasoningDelta(event.index, text)
            case PartDeltaEvent(delta=ToolCallPartDelta() as delta):
                yield from self._more(event.index, delta)
            case _:
                return

    def _started(self, index: int, part: ModelResponsePart) -> Iterator[StreamEvent]:
        match part:
            case TextPart() if part.content:
                yield TextDelta(index, part.content)
            case ThinkingPart() if part.content:
                yield ReasoningDelta(index, part.content)
            case ToolCallPart() | NativeToolCallPart():
                own = isinstance(part, NativeToolCallPart)
                args = _text(part.args)
                begun = ToolCallDelta(index, part.tool_call_id, part.tool_name, args, own)
                self._calls[index] = begun
                yield begun
            case _:
                return

    def _more(self, index: int, delta: ToolCallPartDelta) -> Iterator[StreamEvent]:
        begun = self._calls.get(index)
        if begun is not None and delta.args_delta:
            yield replace(begun, args=_text(delta.args_delta))

    def _ended(
        self, index: int, part: ModelResponsePart, of_answer: Mapping[str, Json]
    ) -> Iterator[StreamEvent]:
        made = self._part(blobs.dumped(part), of_answer)
        if made is not None and self._done.get(index) != made:
            self._done[index] = made
            yield PartDone(index, made)

    def finish(self, response: ModelResponse) -> Iterator[StreamEvent]:
        """Return the events of the end: what is not told yet, the sources, and the whole."""
        sources: dict[str, Source] = {}
        for index, part in enumerate(response.parts):
            plain = blobs.dumped(part)
            sources |= {found.url: found for found in _sources(plain)}
            before = self._done.get(index)
            self._told = self._told and not _carries_facts(before)
            yield from self._ended(index, part, _facts(response))
        for number, source in enumerate(list(sources.values())[:MAX_SOURCES]):
            index = len(response.parts) + number
            self._done[index] = source
            yield PartDone(index, source)
        parts = tuple(self._done[index] for index in sorted(self._done))
        details = response.provider_details or {}
        yield Finished(
            parts,
            usage(response),
            _finish(response, parts),
            raw_finish=str(details.get("finish_reason") or ""),
            response_id=response.provider_response_id or "",
            cost_micros=_cost(details),
        )

    def _part(self, plain: Mapping[str, Any], of_answer: Mapping[str, Json]) -> Part | None:
        attached = blobs.provenance(self._provider, plain, {} if self._told else of_answer)
        self._told = self._told or attached is not None
        match plain["part_kind"]:
            case "text":
                if not plain["content"] and attached is None:
                    return None
                return Text(plain["content"], provenance=attached)
            case "thinking":
                return Reasoning(plain["content"], provenance=attached)
            case "tool-call" | "builtin-tool-call" as kind:
                return ToolCall(
                    plain["tool_call_id"],
                    plain["tool_name"],
                    _text(plain.get("args")) or "{}",
                    provider_executed=kind != "tool-call",
                    provenance=attached,
                )
            case "builtin-tool-return":
                return ToolResult(
                    plain["tool_call_id"],
                    plain["tool_name"],
                    {"results": [_seen(item) for item in _results(plain)]},
                    provider_executed=True,
                    provenance=attached,
                )
            case _:
                # Nothing to see, and wanted back: a compaction, a picture.
                return Reasoning("", provenance=attached)


def _facts(answer: StreamedResponse | ModelResponse) -> dict[str, Json]:
    """Return what is true of a whole answer, and wanted when it is sent again."""
    told = {
        "provider_name": answer.provider_name,
        "model_name": answer.model_name,
        "canonical_system": answer.canonical_system,
    }
    return {name: value for name, value in told.items() if value is not None}


def _carries_facts(part: Part | None) -> bool:
    found = getattr(part, "provenance", None)
    return isinstance(found, Provenance) and "answer" in found.blob


def usage(response: ModelResponse) -> Usage:
    """Return the tokens of an answer; nothing where the provider told nothing."""
    told = response.usage
    if told.unmeasured_requests:
        return Usage()
    cached = told.cache_read_tokens + told.cache_write_tokens
    return Usage(
        max(told.input_tokens - cached, 0),
        told.output_tokens,
        told.input_tokens + told.output_tokens,
        told.output_reasoning_tokens or None,
        told.cache_write_tokens or None,
        told.cache_read_tokens or None,
    )


def _finish(response: ModelResponse, parts: tuple[Part, ...]) -> Finish:
    if response.state == "suspended":
        return Finish.SUSPENDED
    finish = _FINISHES.get(response.finish_reason, Finish.OTHER)
    calls = any(isinstance(part, ToolCall) and not part.provider_executed for part in parts)
    return Finish.TOOL_CALLS if calls and finish is Finish.STOP else finish


def _cost(details: Mapping[str, Any]) -> int | None:
    """Return the cost that a router tells, in millionths."""
    cost = details.get("cost")
    return round(Decimal(str(cost)) * 1_000_000) if isinstance(cost, int | float) else None


def _text(args: object) -> str:
    if args is None:
        return ""
    return args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)


def _results(plain: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the pages that a search found, whichever way a provider lists them."""
    content = plain.get("content")
    if isinstance(content, dict):
        lists = cast("dict[str, Any]", content)
        content = lists.get("results") or lists.get("sources") or lists.get("search_results")
    if not isinstance(content, list):
        return []
    items = cast("list[object]", content)
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]


def _seen(item: Mapping[str, Any]) -> Json:
    return {name: str(item[name]) for name in ("url", "title", "page_age") if item.get(name)}


def _sources(plain: Mapping[str, Any]) -> Iterator[Source]:
    if plain["part_kind"] == "builtin-tool-return":
        found = _results(plain)
    else:
        citations = cast("list[dict[str, Any]]", plain.get("citations") or [])
        found = [cast("Mapping[str, Any]", cited.get("source") or {}) for cited in citations]
    for item in found:
        url = item.get("url")
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            yield Source(url, url, str(item.get("title") or ""))
