"""What a model is told besides the talk itself, layer by layer.

Source: reference, chats, section 1.15. Layers keep their order and stand before the history, and
what is new stands at its end: providers keep the longest prefix that they have seen before.
"""

from dataclasses import dataclass, replace

from server.llm import ContextFile, Message, Part, Role, Skill, Text
from server.loop.cleaning import clean
from server.loop.ledger import Row
from server.loop.prompts import Prompt, prompt
from server.loop.rendering import block, context
from server.loop.turn import Found, Layers

PLAN_PATH = "{{plan_file_path}}"
"""Stands in prompts where the path of the plan belongs."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a chat when it is made."""

    child: bool = False
    attached: bool = False
    include_default: bool = True
    deployment: str = ""
    """An administrator's own words for all chats."""
    chat: str = ""
    """The ``system_prompt`` of the request."""


def opening(chat: Opening) -> tuple[Row, ...]:
    """Return the system rows that a new chat begins with; only models see them."""
    built_in = ""
    if chat.include_default:
        parts = (Prompt.DEFAULT,) if chat.child else (Prompt.DEFAULT, Prompt.ORCHESTRATION)
        built_in = "\n\n".join(prompt(part) for part in parts)
    deployment = "\n\n".join(text for text in (built_in, clean(chat.deployment)) if text.strip())
    awareness = Prompt.ATTACHED
    if not chat.attached:
        awareness = Prompt.DETACHED_CHILD if chat.child else Prompt.DETACHED
    texts = (deployment, clean(chat.chat), prompt(awareness))
    return tuple(
        Row(Role.SYSTEM, (Text(text),), visibility="model") for text in texts if text.strip()
    )


def apply(layers: Layers, history: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return a history with everything that is said before it."""
    first = next(
        (place for place, message in enumerate(history) if message.role is not Role.SYSTEM),
        len(history),
    )
    head = (_placed(message, layers) for message in history[:first])
    said = (Message(Role.SYSTEM, (Text(text),)) for text in _inserted(layers, history[first:]))
    return (*head, *said, *history[first:])


def noticed(layers: Layers, history: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return a history at whose end stands what is new since the last turn."""
    texts = [block("notice", clean(notice)) for notice in layers.notices if clean(notice).strip()]
    if not texts:
        return history
    return (*history, Message(Role.USER, tuple(Text(text) for text in texts)))


def is_notice(part: Part) -> bool:
    """Tell whether a part was said by ``noticed``: it is told anew each turn, and not stored."""
    return isinstance(part, Text) and part.text.startswith("<notice>\n")


def _inserted(layers: Layers, history: tuple[Message, ...]) -> tuple[str, ...]:
    personal = clean(layers.personal)
    texts = (
        prompt(Prompt.CHILD) if layers.child else "",
        "" if _tells_context(history, layers) else context(layers.context),
        block("user-instructions", personal) if personal.strip() else "",
        _overlay(layers),
    )
    return tuple(text for text in texts if text)


def _overlay(layers: Layers) -> str:
    if layers.explore:
        return prompt(Prompt.EXPLORE)
    if not layers.planning:
        return ""
    if layers.child:
        return prompt(Prompt.PLAN_CHILD)
    added = clean(layers.plan_instructions)
    text = _with_path(prompt(Prompt.PLAN), layers)
    return f"{text}\n\n{added}" if added.strip() else text


def _placed(message: Message, layers: Layers) -> Message:
    parts: tuple[Part, ...] = tuple(
        replace(part, text=_with_path(part.text, layers)) if isinstance(part, Text) else part
        for part in message.parts
    )
    return replace(message, parts=parts)


def _with_path(text: str, layers: Layers) -> str:
    if PLAN_PATH not in text:
        return text
    path = block("plan-file-path", layers.plan_path) if layers.plan_path else ""
    return clean(text.replace(PLAN_PATH, path))


def unknown(layers: Layers, history: tuple[Message, ...], found: Found) -> Found:
    """Return what was found in a workspace that the model was told nothing of so far."""
    told = {part.agent_id for part in layers.context}
    news = replace(layers, context=found)
    known = not found or found[0].agent_id in told or _tells_context(history, news)
    return () if known or not context(found) else found


def _tells_context(history: tuple[Message, ...], layers: Layers) -> bool:
    """Tell whether rows of the history hold what was found in the workspace of now."""
    agents = {part.agent_id for part in layers.context}
    return any(
        part.agent_id in agents
        for message in history
        for part in message.parts
        if isinstance(part, ContextFile | Skill)
    )
