"""A provider that answers from a list, and streams written by hand in the three formats."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import httpx2
from typing_extensions import override

from coder_cli.kit.clock import SystemClock
from server.llm import (
    CallLimits,
    CallOptions,
    Clients,
    Credentials,
    Finished,
    Json,
    Message,
    Request,
    Role,
    StreamEvent,
    Text,
    ToolSpec,
)

Event = dict[str, Any]
Answer = httpx2.Response | Callable[[httpx2.Request], httpx2.Response]

TOOL = ToolSpec(
    "execute",
    "Run a command.",
    {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
    },
)

NAMES = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-5",
    "openai-compat": "local",
    "azure": "gpt-5",
    "openrouter": "anthropic/claude-sonnet-4.5",
    "vercel": "openai/gpt-5",
    "google": "gemini-2.5-pro",
}


def sse(*events: Event | str, named: bool = True) -> bytes:
    """Return events as a provider streams them."""
    lines: list[str] = []
    for event in events:
        if isinstance(event, str):
            lines.append(f"data: {event}\n\n" if not event.startswith(":") else f"{event}\n\n")
            continue
        name = f"event: {event['type']}\n" if named and "type" in event else ""
        lines.append(f"{name}data: {json.dumps(event)}\n\n")
    return "".join(lines).encode()


def ok(content: bytes, kind: str = "text/event-stream") -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": kind}, content=content)


def error(status: int, body: Event, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers=headers, json=body)


# Anthropic ----------------------------------------------------------------------------------------


def begin(**usage: int) -> Event:
    told = {"input_tokens": 10, "output_tokens": 1, **usage}
    message: Event = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": told,
    }
    return {"type": "message_start", "message": message}


def block(index: int, start: Event, *deltas: Event) -> list[Event]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text_block(index: int, *words: str) -> list[Event]:
    deltas = ({"type": "text_delta", "text": word} for word in words)
    return block(index, {"type": "text", "text": ""}, *deltas)


def thinking_block(index: int, thought: str, signature: str) -> list[Event]:
    return block(
        index,
        {"type": "thinking", "thinking": "", "signature": ""},
        *([{"type": "thinking_delta", "thinking": thought}] if thought else []),
        {"type": "signature_delta", "signature": signature},
    )


def tool_block(index: int, id_: str, *pieces: str) -> list[Event]:
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    start: Event = {"type": "tool_use", "id": id_, "name": "execute", "input": {}}
    return block(index, start, *deltas)


def search_blocks(index: int) -> list[Event]:
    """Return a web search of Anthropic's: its call, its result, and a text that cites it."""
    found = {
        "type": "web_search_result",
        "url": "https://example.com/a",
        "title": "A page",
        "encrypted_content": "ENCRYPTED",
        "page_age": "1 day",
    }
    citation = {
        "type": "web_search_result_location",
        "url": "https://example.com/a",
        "title": "A page",
        "encrypted_index": "INDEX",
        "cited_text": "so",
    }
    return [
        *block(
            index,
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"query": "x"}'},
        ),
        *block(
            index + 1,
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [found]},
        ),
        *block(
            index + 2,
            {"type": "text", "text": "", "citations": []},
            {"type": "text_delta", "text": "It is so."},
            {"type": "citations_delta", "citation": citation},
        ),
    ]


def end(reason: str = "end_turn", **usage: int) -> list[Event]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 20, **usage}},
        {"type": "message_stop"},
    ]


def claude(*parts: list[Event], reason: str = "end_turn") -> httpx2.Response:
    return ok(sse(begin(), *(event for part in parts for event in part), *end(reason)))


# Chat ---------------------------------------------------------------------------------------------


def chunk(delta: Event | None, finish: str | None = None, **more: object) -> Event:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        **more,
    }


def calls(*calls: Event) -> Event:
    return chunk({"tool_calls": list(calls)})


def call(index: int | None, id_: str | None, name: str | None, args: str) -> Event:
    made: Event = {"type": "function", "function": {"name": name, "arguments": args}}
    if index is not None:
        made["index"] = index
    if id_ is not None:
        made["id"] = id_
    return made


USAGE: Event = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def chat(*chunks: Event | str, finish: str | None = "stop", done: bool = True) -> httpx2.Response:
    tail: list[Event | str] = []
    if finish is not None:
        tail = [chunk({}, finish), chunk(None, usage=USAGE)]
    if done:
        tail.append("[DONE]")
    return ok(sse(*chunks, *tail))


# Responses ----------------------------------------------------------------------------------------


def response(status: str, output: Sequence[Event] = (), **more: object) -> Event:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5",
        "status": status,
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 15,
            "input_tokens_details": {"cached_tokens": 4},
            "output_tokens_details": {"reasoning_tokens": 2},
        },
        **more,
    }


def reasoning_item(thought: str = "hmm") -> list[Event]:
    item: Event = {"type": "reasoning", "id": "rs_1", "summary": []}
    whole = {
        **item,
        "summary": [{"type": "summary_text", "text": thought}],
        "encrypted_content": "ENCRYPTED",
    }
    part = {"type": "summary_text", "text": ""}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {
            "type": "response.reasoning_summary_part.added",
            "item_id": "rs_1",
            "output_index": 0,
            "summary_index": 0,
            "part": part,
        },
        {
            "type": "response.reasoning_summary_text.delta",
            "item_id": "rs_1",
            "output_index": 0,
            "summary_index": 0,
            "delta": thought,
        },
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
    ]


def message_item(text: str, index: int = 1) -> list[Event]:
    item: Event = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }
    said: Event = {"type": "output_text", "text": text, "annotations": []}
    where = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    empty: Event = {"type": "output_text", "text": "", "annotations": []}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": item},
        {"type": "response.content_part.added", **where, "part": empty},
        {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []},
        {"type": "response.output_text.done", **where, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": said},
        {
            "type": "response.output_item.done",
            "output_index": index,
            "item": {**item, "status": "completed", "content": [said]},
        },
    ]


def call_item(args: str, index: int = 1) -> list[Event]:
    item: Event = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "execute",
        "arguments": "",
        "status": "in_progress",
    }
    where = {"item_id": "fc_1", "output_index": index}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": item},
        {"type": "response.function_call_arguments.delta", **where, "delta": args},
        {
            "type": "response.function_call_arguments.done",
            **where,
            "name": "execute",
            "arguments": args,
        },
        {
            "type": "response.output_item.done",
            "output_index": index,
            "item": {**item, "arguments": args, "status": "completed"},
        },
    ]


def responses(*parts: list[Event], last: Event | None = None) -> httpx2.Response:
    events: list[Event] = [
        {"type": "response.created", "response": response("in_progress")},
        *(event for part in parts for event in part),
        last or {"type": "response.completed", "response": response("completed")},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return ok(sse(*numbered))


# Asking -------------------------------------------------------------------------------------------


class Provider:
    """Answers calls one after the other, the last answer for ever; keeps what was sent."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, httpx2.Response):
            return httpx2.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return answer(request)

    def clients(self, limits: CallLimits | None = None) -> Clients:
        return Clients(SystemClock(), limits, httpx2.MockTransport(self._answer))

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Return the bodies of the calls."""
        return [cast("dict[str, Any]", json.loads(request.content)) for request in self.requests]


def credentials(provider: str, **more: Any) -> Credentials:
    base_url = {
        "openai-compat": "http://llm.example/v1",
        "azure": "https://me.openai.azure.com",
    }.get(provider, "")
    told: dict[str, Any] = {"base_url": base_url, "api_key": "sk-secret-key", **more}
    return Credentials(provider, **told)


async def ask(
    fake: Provider,
    provider: str,
    *messages: Message,
    options: CallOptions | None = None,
    request: dict[str, Any] | None = None,
    name: str = "",
) -> list[StreamEvent]:
    """Make one call and return all its events."""
    prompt = messages or (user("hi"),)
    told: dict[str, Any] = {"tools": (TOOL,), **(request or {})}
    model = fake.clients().model(credentials(provider), name or NAMES[provider], options)
    return [event async for event in model.stream(Request(tuple(prompt), **told))]


def whole(events: Sequence[StreamEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished)
    return last


def user(text: str) -> Message:
    return Message(Role.USER, (Text(text),), id=1)


def assistant(finished: Finished, provider: str) -> Message:
    return Message(Role.ASSISTANT, finished.parts, id=2, provider=provider)


def using(**block: Json) -> CallOptions:
    """Return options with a block for every provider."""
    names = ("openai", "anthropic", "google", "openaicompat", "openrouter", "vercel")
    return CallOptions(values={"provider_options": {name: dict(block) for name in names}})


class Slow(httpx2.AsyncByteStream):
    """A body that comes in pieces, and may break off or never end."""

    def __init__(self, *pieces: bytes | Exception, then: Callable[[], Any] | None = None) -> None:
        self._pieces = pieces
        self._then = then
        self.closed = False

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece
        if self._then is not None:
            await self._then()

    @override
    async def aclose(self) -> None:
        self.closed = True
