"""Summaries: when a history is folded, what is asked for it, and the rows that take its place.

Source: reference, chats, section 3.11. Pure.
"""

import json
from dataclasses import replace
from uuid import UUID, uuid5

from server.llm import (
    ContextFile,
    File,
    Json,
    Message,
    Part,
    Role,
    Skill,
    Text,
    ToolCall,
    ToolResult,
)
from server.loop.answers import assistant_row, words
from server.loop.layers import is_notice
from server.loop.ledger import Row
from server.loop.prompts import Prompt, prompt
from server.loop.state import Answer, Folding
from server.loop.turn import Engine, Turn
from server.loop.weight import part_size, weigh

TOOL = "chat_summarized"
AUTOMATIC, MANUAL = "automatic", "manual"
SECONDS = 90.0
MAX_REENTRIES = 3
MAX_FAILURES = 3
NEVER = 100
"""This threshold switches summaries off."""

EMPTY = "The summary was empty; the history was kept as it is."
NOT_SHORTER = "The summary was not shorter than the history, which was kept as it is."

_LONG_RESULT = 2_000
"""Characters that stay of a tool's result where a history must be made to fit."""


def limit(turn: Turn, told: int | None) -> int:
    """Return the context limit that counts: the provider's word, else the configured one.

    Where somebody else writes the summaries, the stricter of both counts.
    """
    own = told or turn.engine.context_limit
    return min(own, turn.summarizer.context_limit) if turn.summarizer else own


def is_due(turn: Turn, tokens: int, context_limit: int) -> bool:
    """Tell whether a history of so many tokens is to be folded."""
    if turn.threshold_percent >= NEVER or context_limit <= 0:
        return False
    return tokens * 100 >= turn.threshold_percent * context_limit


def begun(turn: Turn, seed: UUID, number: int, source: str) -> ToolCall:
    """Return the call that stands for a summary, for people to see."""
    args = {"source": source, "threshold_percent": turn.threshold_percent}
    return ToolCall(f"{TOOL}_{uuid5(seed, str(number))}", TOOL, json.dumps(args))


def order(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the prompt that asks for a summary of ``messages``; its prefix is what was cached."""
    return (*messages, Message(Role.USER, (Text(prompt(Prompt.COMPACTION)),)))


def fitted(messages: tuple[Message, ...], tokens: int) -> tuple[Message, ...]:
    """Return what of a history fits into ``tokens``: long results are cut, then the oldest goes.

    System messages stay, and so does the last message. Calls may lose their results: repair it.
    """
    if weigh(messages) <= tokens:
        return messages
    cut = tuple(
        replace(message, parts=tuple(_cut(part) for part in message.parts)) for message in messages
    )
    left = weigh(cut)
    kept: list[Message] = []
    for place, message in enumerate(cut):
        if left > tokens and message.role is not Role.SYSTEM and place < len(cut) - 1:
            left -= weigh((message,))
        else:
            kept.append(message)
    return tuple(kept)


def _cut(part: Part) -> Part:
    if not isinstance(part, ToolResult) or part_size(part) <= _LONG_RESULT:
        return part
    if part.is_media:
        return replace(part, result="[left out]", is_media=False)
    text = part.result if isinstance(part.result, str) else json.dumps(part.result)
    half = _LONG_RESULT // 2
    left_out = len(text) - 2 * half
    return replace(part, result=f"{text[:half]}\n[{left_out} characters left out]\n{text[-half:]}")


def is_context(message: Message) -> bool:
    """Tell whether a message holds only what was found in a workspace."""
    return all(isinstance(part, ContextFile | Skill) for part in message.parts)


def has_open_calls(message: Message) -> bool:
    """Tell whether an answer waits for something."""
    answered = {part.id for part in message.parts if isinstance(part, ToolResult)}
    return any(isinstance(part, ToolCall) and part.id not in answered for part in message.parts)


def pending(messages: tuple[Message, ...]) -> tuple[Part, ...]:
    """Return what the person said last and nobody has answered: no summary may swallow it.

    What was found in the workspace is told again by the layers, and an earlier summary by this one.
    """
    parts: list[Part] = []
    for message in reversed(messages):
        if message.role is not Role.USER or _is_summary(message):
            break
        parts[:0] = [
            part
            for part in message.parts
            if not isinstance(part, ContextFile | Skill) and not is_notice(part)
        ]
    return tuple(parts)


def _is_summary(message: Message) -> bool:
    first = message.parts[0] if message.parts else None
    return isinstance(first, Text) and first.text.startswith(prompt(Prompt.SUMMARY))


def weight_of(messages: tuple[Message, ...]) -> int:
    """Return what of a history a summary would stand for: all but the system's words."""
    return weigh(message for message in messages if message.role is not Role.SYSTEM)


def failure(answer: Answer, folding: Folding) -> str:
    """Return why a summary is of no use, or nothing."""
    text = words(answer.parts)
    if not text:
        return EMPTY
    kept = sum(part_size(part) for part in folding.pending) + len(text)
    return NOT_SHORTER if kept // 4 >= max(folding.replaced, 1) else ""


def result(turn: Turn, folding: Folding, answer: Answer, context_limit: int) -> ToolResult:
    """Return what is shown of a summary that took the history's place."""
    used = folding.context_tokens
    value: dict[str, Json] = {
        "summary": words(answer.parts),
        "source": folding.source,
        "threshold_percent": turn.threshold_percent,
        "usage_percent": round(used * 100 / context_limit, 1) if context_limit else 0,
        "context_tokens": used,
        "context_limit_tokens": context_limit,
    }
    return ToolResult(folding.call.id, TOOL, value)


def rows(
    answer: Answer, folding: Folding, told: ToolResult, engine: Engine, runtime_ms: int
) -> tuple[Row, ...]:
    """Return the rows of a summary: the model's view, the call and the result that people see.

    A question that was open follows once more, for the model only.
    """
    text = f"{prompt(Prompt.SUMMARY)}\n\n{words(answer.parts)}"
    asked = tuple(_stored(part) for part in folding.pending)
    again = (Row(Role.USER, asked, visibility="model"),) if asked else ()
    return (
        Row(Role.USER, (Text(text),), visibility="model", compressed=True),
        _shown(answer, folding, engine, runtime_ms, compressed=True),
        Row(Role.TOOL, (told,), visibility="both", compressed=True),
        *again,
    )


def _stored(part: Part) -> Part:
    """Return a part as rows hold it: the bytes of a file are kept elsewhere."""
    stored = isinstance(part, File) and part.file_id is not None
    return replace(part, data="") if stored else part


def failed_rows(
    answer: Answer, folding: Folding, told: ToolResult, engine: Engine, runtime_ms: int
) -> tuple[Row, ...]:
    """Return the rows of a summary that was of no use: it is shown, and it cost something."""
    return (
        _shown(answer, folding, engine, runtime_ms, compressed=False),
        Row(Role.TOOL, (told,), visibility="user"),
    )


def _shown(
    answer: Answer, folding: Folding, engine: Engine, runtime_ms: int, *, compressed: bool
) -> Row:
    row = assistant_row(answer, engine, runtime_ms)
    # Its id at the provider is no link of the chain: that answer was no part of the talk.
    return replace(
        row, parts=(folding.call,), visibility="user", compressed=compressed, response_id=""
    )
