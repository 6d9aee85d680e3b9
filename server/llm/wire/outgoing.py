"""Our messages as the library's: what a provider gets to see of a history.

Messages come repaired (``server.loop``). What is left to do depends on who is called: thinking and
server tools go back to nobody but who made them (llm, traps 5 and 6), system text stays at the head
(trap 4), and prompt caches get their marks (chats, section 3.14).
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from pydantic_ai.messages import (
    BinaryContent,
    CachePoint,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    SystemPromptPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)

from server.llm.parts import (
    File,
    FileReference,
    Json,
    Message,
    Part,
    Provenance,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from server.llm.wire import blobs
from server.llm.wire.target import Format, Target

MISSING = "[missing-attachment]"
_WEB_SEARCH = "web_search"
_MARKED = 2
"""How many of the newest requests are marked for the prompt cache, besides the system prompt."""


def history(messages: Sequence[Message], target: Target) -> list[ModelMessage]:
    """Return a prompt as the library takes it."""
    made: list[ModelMessage] = []
    head = True
    for message in messages:
        head = head and message.role is Role.SYSTEM
        if message.role is Role.ASSISTANT:
            if (response := _response(message, target)) is not None:
                made.append(response)
        elif parts := list(_request_parts(message, head=head)):
            if made and isinstance(made[-1], ModelRequest):
                made[-1] = ModelRequest(parts=[*made[-1].parts, *parts])
            else:
                made.append(ModelRequest(parts=parts))
    return _marked(made) if target.marks_cache else made


def _request_parts(message: Message, *, head: bool) -> Iterator[ModelRequestPart]:
    if message.role is Role.SYSTEM:
        for part in message.parts:
            if isinstance(part, Text) and part.text.strip():
                yield SystemPromptPart(part.text) if head else UserPromptPart(part.text)
        return
    said: list[UserContent] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield _returned(part)
        else:
            said.extend(_said(part))
    if said:
        yield UserPromptPart(said[0] if len(said) == 1 and isinstance(said[0], str) else said)


def _said(part: Part) -> Iterator[UserContent]:
    match part:
        case Text() if part.text.strip():
            yield part.text
        case File():
            yield _binary(part.data, part.media_type) or MISSING
        case FileReference():
            yield f"{part.file_name}:{part.start_line}-{part.end_line}\n{part.content}"
        case _:
            return


def _binary(data: str, media_type: str) -> BinaryContent | None:
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return BinaryContent(data=content, media_type=media_type) if content else None


def _returned(part: ToolResult) -> ToolReturnPart:
    return ToolReturnPart(
        part.name,
        _content(part),
        part.id,
        outcome="failed" if part.is_error else "success",
    )


def _content(part: ToolResult) -> str | list[str | BinaryContent]:
    value = part.result
    if part.is_media and isinstance(value, dict):
        media = _binary(str(value.get("data", "")), str(value.get("mime_type", "")))
        words = str(value.get("text") or "")
        if media is not None:
            return [words, media] if words else [media]
        return words or MISSING
    return value if isinstance(value, str) and value else _json(value)


def _json(value: Json) -> str:
    # The database sorts keys in its own way; a prompt must not change with where it was read.
    return json.dumps(value or {}, ensure_ascii=False, sort_keys=True)


def _response(message: Message, target: Target) -> ModelMessage | None:
    parts: list[dict[str, Any]] = []
    of_answer: dict[str, Any] = {}
    target = replace(target, by_id=target.by_id and not _lacks_reasoning(message, target))
    for part in message.parts:
        found = _provenance(part, target)
        made = _response_part(part, found, target)
        if made is not None:
            parts.append(made)
            of_answer = of_answer or blobs.answer(found)
    if not parts:
        return None
    return blobs.loaded(parts, of_answer)


def _lacks_reasoning(message: Message, target: Target) -> bool:
    """Tell whether an answer had reasoning that cannot be sent: then no item may name it."""
    return target.format is Format.RESPONSES and any(
        isinstance(part, Reasoning) and not _signed(part, target) for part in message.parts
    )


def _signed(part: Reasoning, target: Target) -> bool:
    attached = blobs.attached(_provenance(part, target))
    return "signature" in attached or "part_kind" in attached


def _provenance(part: Part, target: Target) -> Provenance | None:
    """Return what is attached to a part, if it came from who is called now."""
    found = getattr(part, "provenance", None)
    if isinstance(found, Provenance) and found.provider == target.provider:
        return found
    return None


def _response_part(part: Part, found: Provenance | None, target: Target) -> dict[str, Any] | None:
    attached = _kept(blobs.attached(found), target)
    match part:
        case Text() if part.text.strip():
            return {**attached, "part_kind": "text", "content": part.text}
        case Reasoning():
            return _thinking(part, attached, target)
        case ToolCall():
            kind = "builtin-tool-call" if part.provider_executed else "tool-call"
            if part.provider_executed and not _on(part.name, found, target):
                return None
            call = {"tool_name": part.name, "args": part.args, "tool_call_id": part.id}
            return {**attached, "part_kind": kind, **call}
        case ToolResult() if part.provider_executed and _on(part.name, found, target):
            return {**attached, "tool_call_id": part.id}
        case _:
            return None


def _thinking(part: Reasoning, attached: dict[str, Any], target: Target) -> dict[str, Any] | None:
    if not attached or not target.sends_reasoning:
        return None
    if target.format is Format.RESPONSES and not _signed(part, target):
        return None  # Without its encrypted text it is an item that nobody kept.
    if "part_kind" in attached:  # A part that is kept whole, such as a compaction.
        return attached
    return {**attached, "part_kind": "thinking", "content": part.text}


def _kept(attached: dict[str, Any], target: Target) -> dict[str, Any]:
    """Return what is attached without what the call cannot bear."""
    if not target.by_id:
        attached = {name: value for name, value in attached.items() if name != "id"}
    if not target.web_search:
        attached = {name: value for name, value in attached.items() if name != "citations"}
        details = attached.get("provider_details")
        if isinstance(details, dict) and "citations" in details:
            told = cast("dict[str, Any]", details)
            kept = {name: value for name, value in told.items() if name != "citations"}
            attached["provider_details"] = kept
    return attached


def _on(tool: str, found: Provenance | None, target: Target) -> bool:
    """Tell whether a provider's own tool may be replayed: its maker is called, and it is on."""
    return found is not None and tool == _WEB_SEARCH and target.web_search


def _marked(messages: list[ModelMessage]) -> list[ModelMessage]:
    """Return the prompt with the marks of a cache on its newest requests."""
    marked = list(messages)
    left = _MARKED
    for position in range(len(marked) - 1, -1, -1):
        message = marked[position]
        if left and isinstance(message, ModelRequest) and _markable(message):
            mark = UserPromptPart([CachePoint()])
            marked[position] = ModelRequest(parts=[*message.parts, mark])
            left -= 1
    return marked


def _markable(message: ModelRequest) -> bool:
    return any(not isinstance(part, SystemPromptPart) for part in message.parts)
