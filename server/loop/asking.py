"""Requests: a history becomes what one call of a model sends."""

from dataclasses import dataclass

from server.llm import (
    ErrorKind,
    Message,
    ModelError,
    Request,
    Role,
    ToolChoice,
    ToolSpec,
    at_most_micros,
)
from server.loop import compaction
from server.loop.repairing import Target, faults, repair
from server.loop.tool import Toolbox
from server.loop.turn import Engine, Turn
from server.loop.weight import at_most_tokens

_SQUEEZED = 0.5
"""How much of the context limit a history takes, at the most, that was refused for its length.

Far below it: the estimate may be wrong by a third, and the summary needs room.
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what it may cost at the most."""

    engine: Engine
    request: Request
    at_most: int | None


def ask(turn: Turn, history: tuple[Message, ...], *, chain: str, resuming: bool) -> Asked:
    """Return the next request of a turn.

    Args:
        turn: its model, tools and layers.
        history: layers, rows, and what this turn added.
        chain: the provider's id of the answer to go on from: only what came after it is sent.
        resuming: the provider paused within the last answer.

    Raises:
        ModelError: the history cannot be made valid. Nothing is sent then.
    """
    messages = _prompt(turn, turn.engine, history, resuming=resuming)
    linked = _since_last_answer(messages) if chain and not turn.layers.planning else None
    if linked is None:
        _check(messages)
    request = Request(
        messages=linked or messages,
        tools=specs(turn.toolbox),
        web_search=turn.web_search,
        previous_response_id=chain if linked else "",
        cache_key=str(turn.chat_id),
    )
    return _priced(turn.engine, request)


def ask_for_summary(turn: Turn, history: tuple[Message, ...], *, squeeze: bool) -> Asked:
    """Return the request for a summary of a history; with ``squeeze`` of what fits of it.

    Raises:
        ModelError: the history cannot be made valid.
    """
    engine = turn.summarizer or turn.engine
    if squeeze or turn.summarizer is not None:
        # Another model may read less than the one that wrote.
        share = _SQUEEZED if squeeze else 1
        history = compaction.fitted(history, int(engine.context_limit * share))
    messages = compaction.order(_prompt(turn, engine, history, resuming=False))
    _check(messages)
    request = Request(
        messages=messages,
        # Offered as ever: providers refuse a history with calls of unknown tools, and forget the
        # prompt that they have kept when the tools before it change.
        tools=specs(turn.toolbox),
        tool_choice=ToolChoice.NONE,
        web_search=turn.web_search and turn.summarizer is None,
        cache_key=str(turn.chat_id),
    )
    return _priced(engine, request)


def specs(toolbox: Toolbox) -> tuple[ToolSpec, ...]:
    """Return the tools as a model is told of them, in an order that stays."""
    ours = tuple(tool.spec for tool in toolbox.tools)
    taken = {spec.name for spec in ours}
    return (*ours, *(spec for spec in toolbox.dynamic if spec.name not in taken))


def is_owed(history: tuple[Message, ...]) -> bool:
    """Tell whether a model has to say something: the last word is not its own, or is a call."""
    for message in reversed(history):
        match message.role:
            case Role.ASSISTANT:
                return compaction.has_open_calls(message)
            case Role.USER if compaction.is_context(message):
                continue
            case Role.USER | Role.TOOL:
                return True
            case Role.SYSTEM:
                continue
    return False


def _prompt(
    turn: Turn, engine: Engine, history: tuple[Message, ...], *, resuming: bool
) -> tuple[Message, ...]:
    target = Target(
        provider=engine.model.provider,
        stores=turn.stores and engine is turn.engine,
        searching=turn.web_search and engine is turn.engine,
        resuming=resuming,
    )
    return repair(history, target)


def _since_last_answer(messages: tuple[Message, ...]) -> tuple[Message, ...] | None:
    """Return the system's words and what a person said since the last answer, if so it ends."""
    trailing = 0
    while trailing < len(messages) and messages[-1 - trailing].role is Role.USER:
        trailing += 1
    if trailing == 0:
        return None
    head = tuple(message for message in messages if message.role is Role.SYSTEM)
    return (*head, *messages[-trailing:])


def _check(messages: tuple[Message, ...]) -> None:
    if found := faults(messages):
        raise ModelError(
            ErrorKind.CONFIG,
            "The history of this chat cannot be sent to a model.",
            detail="; ".join(found)[:500],
        )


def _priced(engine: Engine, request: Request) -> Asked:
    tokens = at_most_tokens(request)
    return Asked(engine, request, at_most_micros(tokens, engine.options, engine.prices))
