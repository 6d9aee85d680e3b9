"""An answer's calls, sorted by who executes them, and the rows that a step leaves."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, cast

from server.llm import (
    Finish,
    Json,
    Message,
    Part,
    Prices,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    cost_micros,
)
from server.loop.ledger import Row
from server.loop.state import Answer, Use
from server.loop.tool import Tool, Toolbox
from server.loop.turn import Engine
from server.loop.weight import part_size

INTERRUPTED = "tool call was interrupted before it produced a result"
"""Source: reference, chats, section 3.8; clients look for it."""

MOST_CALLS = 100
"""Calls of one answer that are run: a model that repeats itself must not fill a workspace."""

TOO_MANY = (
    f"At most {MOST_CALLS} tools are called in one step, so this call was not run. "
    "Call it again if it is still needed."
)
CUT_OFF = (
    "The answer reached its length limit within this call, so it was not run. "
    "Make smaller calls: write a long file in several parts."
)
FILTERED = "The provider's content filter ended the answer within this call, so it was not run."


@dataclass(frozen=True, slots=True)
class Sorted:
    """The calls of an answer: run, refused with a sentence, or left to the client."""

    uses: tuple[Use, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    waiting: tuple[ToolCall, ...] = ()


def local_calls(parts: Iterable[Part]) -> tuple[ToolCall, ...]:
    """Return the calls that the provider has not executed itself."""
    return tuple(
        part for part in parts if isinstance(part, ToolCall) and not part.provider_executed
    )


def distinct(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Give every call of an answer an id of its own; models repeat them, or leave them out."""
    taken: set[str] = set()
    named: list[Part] = []
    for place, part in enumerate(parts):
        if isinstance(part, ToolCall) and not part.provider_executed:
            if not part.id or part.id in taken:
                part = replace(part, id=f"{part.id or 'call'}_{place}")  # noqa: PLW2901 (renamed)
            taken.add(part.id)
        named.append(part)
    return tuple(named)


def shown(parts: tuple[Part, ...], toolbox: Toolbox) -> tuple[Part, ...]:
    """Return an answer's parts as people see them: calls that run commands say which."""
    if not toolbox.commands:
        return parts
    return tuple(_with_commands(part, toolbox) for part in parts)


def _with_commands(part: Part, toolbox: Toolbox) -> Part:
    if not isinstance(part, ToolCall) or part.name not in toolbox.commands:
        return part
    try:
        return replace(part, parsed_commands=toolbox.commands[part.name](arguments(part.args)))
    except (ValueError, TypeError):
        return part


def sort(calls: tuple[ToolCall, ...], toolbox: Toolbox, finish: Finish) -> Sorted:
    """Decide what happens to each call. A built-in tool wins over the client's of the same name."""
    refused: dict[str, str] = {}
    uses: list[Use] = []
    waiting: list[ToolCall] = []
    ours: dict[str, Tool] = {
        tool.spec.name: tool for tool in reversed((*toolbox.tools, *toolbox.also))
    }
    theirs = {spec.name for spec in toolbox.dynamic}
    for place, call in enumerate(calls):
        if finish in {Finish.LENGTH, Finish.CONTENT_FILTER}:
            # Its arguments may be whole by chance: nothing of a broken answer is run.
            refused[call.id] = CUT_OFF if finish is Finish.LENGTH else FILTERED
        elif place >= MOST_CALLS:
            refused[call.id] = TOO_MANY
        elif call.name in toolbox.exclusive and len(calls) > 1:
            refused[call.id] = (
                f"{call.name} must be called alone: call it again, and nothing else in that step."
            )
        elif (tool := ours.get(call.name)) is not None:
            try:
                uses.append(Use(call, tool, arguments(call.args)))
            except (ValueError, TypeError) as error:
                refused[call.id] = f"The arguments of {call.name} are not a JSON object: {error}"
        elif call.name in theirs:
            waiting.append(call)
        else:
            refused[call.id] = f"Tool not found: {call.name}"
    return Sorted(tuple(uses), refused, tuple(waiting))


def arguments(text: str) -> Mapping[str, Json]:
    """Read the arguments of a call; none at all are an empty object.

    Raises:
        ValueError: it is no JSON.
        TypeError: it is JSON, but not an object.
    """
    if not text.strip():
        return {}
    try:
        read: Json = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(read, dict):
        raise TypeError(f"it is of the type {type(read).__name__}")
    return read


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def refusal(call: ToolCall, sentence: str) -> ToolResult:
    """Return the result of a call that was not run, or not to its end."""
    return ToolResult(call.id, call.name, sentence, is_error=True)


def words(parts: Iterable[Part]) -> str:
    """Return what an answer says."""
    return "".join(part.text for part in parts if isinstance(part, Text)).strip()


def usage_of(answer: Answer, engine: Engine) -> Usage | None:
    """Return what was used; the context limit is the provider's word, else the configured one."""
    if answer.finished is None:
        return None
    usage = answer.finished.usage
    return replace(usage, context_limit=usage.context_limit or engine.context_limit or None)


def cost_of(answer: Answer, engine: Engine) -> int | None:
    """Return what an answer cost: the provider's word, else by prices; None is unknown.

    Of an answer that was cut off nobody tells the tokens, and still they are paid for: they are
    estimated, for else a limit could be evaded by stopping each answer before its end.
    """
    if answer.finished is None:
        written = sum(part_size(part) for part in answer.parts) // 4
        about = Usage(input_tokens=answer.asked_tokens, output_tokens=written)
        return cost_micros(about, engine.prices) if answer.parts else None
    told = answer.finished.cost_micros
    return cost_micros(answer.finished.usage, engine.prices) if told is None else told


def assistant_row(answer: Answer, engine: Engine, runtime_ms: int) -> Row:
    """Return the row of an answer, with what it used and cost."""
    usage = usage_of(answer, engine)
    return Row(
        role=Role.ASSISTANT,
        parts=answer.parts,
        usage=usage,
        cost_micros=cost_of(answer, engine),
        prices=_prices(answer, engine),
        runtime_ms=runtime_ms,
        response_id=answer.finished.response_id if answer.finished else "",
    )


def _prices(answer: Answer, engine: Engine) -> Prices | None:
    if answer.finished is None and engine.prices is not None:
        return replace(engine.prices, source=f"{engine.prices.source}, tokens estimated")
    return engine.prices


def step_rows(
    answer: Answer, results: Mapping[str, ToolResult], engine: Engine, runtime_ms: int
) -> tuple[Row, ...]:
    """Return a step's batch: the answer, then a row for each result in the order of its calls."""
    return (
        assistant_row(answer, engine, runtime_ms),
        *(Row(Role.TOOL, (results[call.id],)) for call in answer.calls if call.id in results),
    )


def as_messages(rows: Iterable[Row], engine: Engine) -> tuple[Message, ...]:
    """Return the rows of a step as the next call sends them."""
    model = engine.model
    return tuple(
        Message(row.role, row.parts, provider=model.provider, model=model.name)
        if row.role is Role.ASSISTANT
        else Message(row.role, row.parts)
        for row in rows
    )


def completed(answer: Answer, results: Mapping[str, ToolResult]) -> Mapping[str, ToolResult]:
    """Return the results of an answer that was stopped: calls without one say so."""
    missing = {
        call.id: refusal(call, INTERRUPTED) for call in answer.calls if call.id not in results
    }
    return cast("Mapping[str, ToolResult]", {**results, **missing})
