"""A history that every provider accepts, whatever happened while it was written.

Pure. Source: reference, chats, section 3.12; llm, section 3, traps 3 to 8. The rows stay as they
are: this is what is sent. Repairing twice changes nothing, and nothing is said that nobody said,
but for a few sentences that tell what is missing.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import is_not
from typing import TypeVar

from server.llm import (
    ContextFile,
    File,
    FileReference,
    Json,
    Message,
    Part,
    Provenance,
    Reasoning,
    Role,
    Skill,
    Text,
    ToolCall,
    ToolResult,
)
from server.loop import rendering
from server.loop.answers import arguments
from server.loop.pairing import paired, searched

BEGINNING = "[The beginning of the conversation was left out.]"
TOO_LARGE = "[An image was left out: it is larger than 5 MiB.]"

_ANTHROPIC_IMAGE = 5 * 1024 * 1024
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_Worded = TypeVar("_Worded", Text, Reasoning)
_Provenanced = TypeVar("_Provenanced", Text, ToolCall, ToolResult)


@dataclass(frozen=True, slots=True)
class Target:
    """Who is to read the history."""

    provider: str
    stores: bool = False
    """It keeps its answers, and wants none of its reasoning back."""
    searching: bool = False
    """Its web search is offered."""
    resuming: bool = False
    """It paused: the last answer goes back as it is."""


def repair(messages: Iterable[Message], target: Target) -> tuple[Message, ...]:
    """Return the messages as they can be sent to ``target``."""
    given = list(messages)
    worded = [
        _worded(message, target, newest=place == len(given) - 1)
        for place, message in enumerate(given)
    ]
    return _shaped(paired([message for message in worded if message.parts]))


def _worded(message: Message, target: Target, *, newest: bool) -> Message:
    match message.role:
        case Role.ASSISTANT:
            parts = _said(message, target, resuming=newest and target.resuming)
        case Role.TOOL:
            parts = [
                _result(part, target)
                for part in message.parts
                if isinstance(part, ToolResult) and not part.provider_executed
            ]
        case Role.USER | Role.SYSTEM:
            parts = _heard(message.parts, target)
    return replace(message, parts=tuple(parts))


def _heard(parts: Iterable[Part], target: Target) -> list[Part]:
    """Return what a person sent, in words and pictures."""
    kept: list[Part] = []
    for of_workspace, group in groupby(parts, lambda part: isinstance(part, ContextFile | Skill)):
        if of_workspace:
            found = [part for part in group if isinstance(part, ContextFile | Skill)]
            kept.append(Text(scrubbed(rendering.context(found))))
            continue
        for part in group:
            match part:
                case Text():
                    kept.append(Text(scrubbed(part.text)))
                case FileReference():
                    kept.append(Text(scrubbed(rendering.reference(part))))
                case File():
                    kept.append(_attachment(part, target))
                case _:
                    pass
    return [part for part in kept if not isinstance(part, Text) or part.text.strip()]


def _attachment(part: File, target: Target) -> Part:
    if not part.data:
        return Text(rendering.MISSING)
    if rendering.is_text(part):
        return Text(scrubbed(rendering.attached(part)))
    image = part.media_type.startswith("image/")
    if image and target.provider == "anthropic" and len(part.data) * 3 // 4 > _ANTHROPIC_IMAGE:
        return Text(TOO_LARGE)
    return part


def _said(message: Message, target: Target, *, resuming: bool) -> list[Part]:
    """Return what a model said: its words, its own signed thinking, its calls."""
    kept: list[Part] = []
    for part in message.parts:
        match part:
            case Text() if part.text.strip():
                kept.append(_ours(_scrubbed(part), target))
            case Reasoning() if _is_signed(part.provenance, target):
                kept.append(_scrubbed(part))
            case ToolCall() if not part.provider_executed:
                args = _args(part.args)
                same = part if args is part.args else replace(part, args=args)
                kept.append(_ours(same, target))
            case ToolCall() | ToolResult() if part.provider_executed:
                if not _is_foreign(message, part.provenance, target):
                    kept.append(part)
            case _:
                pass
    searches = searched(kept, searching=target.searching, resuming=resuming)
    # No provider takes an answer that ends in thinking: what it thought of never came.
    while searches and isinstance(searches[-1], Reasoning):
        searches.pop()
    return searches


def _scrubbed(part: _Worded) -> _Worded:
    text = scrubbed(part.text)
    return part if text is part.text else replace(part, text=text)


def _is_signed(provenance: Provenance | None, target: Target) -> bool:
    if provenance is None or target.stores:
        return False
    return provenance.provider == target.provider and bool(provenance.blob)


def _is_foreign(message: Message, provenance: Provenance | None, target: Target) -> bool:
    writer = provenance.provider if provenance else message.provider
    return writer not in {"", target.provider}


def _ours(part: _Provenanced, target: Target) -> _Provenanced:
    """Return a part without what another provider attached to it."""
    if part.provenance is None or part.provenance.provider == target.provider:
        return part
    return replace(part, provenance=None)


def _result(part: ToolResult, target: Target) -> ToolResult:
    value = plain(part.result)
    if value is None or (isinstance(value, str) and not value.strip()):
        value = {}
    return _ours(part if value is part.result else replace(part, result=value), target)


def _args(text: str) -> str:
    """Return arguments that are a JSON object, whatever the model wrote."""
    try:
        read = arguments(text)
    except (ValueError, TypeError):
        return "{}"
    if not text.strip():
        return "{}"
    if _ESCAPED_HALF.search(text) or scrubbed(text) != text:
        return json.dumps(plain(dict(read)), ensure_ascii=False)
    return text


def plain(value: Json) -> Json:
    """Return a value that JSON and UTF-8 can carry; the same one, if it is that already."""
    match value:
        case str():
            return scrubbed(value)
        case float() if not math.isfinite(value):
            return str(value)
        case list():
            items = [plain(item) for item in value]
            return items if any(map(is_not, items, value)) else value
        case dict():
            keys = [scrubbed(key) for key in value]
            values = [plain(item) for item in value.values()]
            same = not any(map(is_not, values, value.values())) and keys == list(value)
            return value if same else dict(zip(keys, values, strict=True))
        case _:
            return value


def scrubbed(text: str) -> str:
    """Return text that UTF-8 can carry: pairs are joined, and lone halves become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _shaped(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages that begin with the system's and then a person's.

    What the system says later is a notice to the model: providers with one place for the system's
    words would move it there, and forget the whole prompt that they had kept.
    """
    head: list[Message] = []
    talk: list[Message] = []
    for message in messages:
        if message.role is not Role.SYSTEM:
            talk.append(message)
        elif talk:
            talk.append(replace(message, role=Role.USER))
        else:
            head.append(message)
    if talk and talk[0].role is not Role.USER:
        talk.insert(0, Message(Role.USER, (Text(BEGINNING),)))
    return (*head, *talk)


def faults(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return what a provider would refuse of a prompt; nothing, after ``repair``."""
    talk = [message for message in messages if message.role is not Role.SYSTEM]
    found: list[str] = []
    if not talk:
        return ("there is no message",)
    if talk[0].role is not Role.USER:
        found.append("the first message is not a person's")
    for place, message in enumerate(talk):
        calls = {
            part.id
            for part in message.parts
            if isinstance(part, ToolCall) and not part.provider_executed
        }
        after = talk[place + 1] if place + 1 < len(talk) else None
        answered = _answers(after)
        if calls != answered:
            found.append(f"message {place}: calls {sorted(calls)}, results {sorted(answered)}")
        if not message.parts or any(
            isinstance(part, Text) and not part.text.strip() for part in message.parts
        ):
            found.append(f"message {place}: an empty text")
    return tuple(found)


def _answers(message: Message | None) -> set[str]:
    if message is None or message.role is not Role.TOOL:
        return set()
    return {part.id for part in message.parts if isinstance(part, ToolResult)}
