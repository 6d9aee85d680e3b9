"""Have a chat's history folded, or hide it from the model. Source: reference, chats, section 3.11.

People keep seeing everything; only what the model is sent becomes shorter.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from server.chats import policy
from server.chats.actions import find
from server.chats.actions.telling import tell
from server.chats.convert.rows import new_message
from server.chats.errors import NothingToClear, NothingToCompact
from server.chats.events import Change
from server.chats.model import Chat, Message, Move, NewMessage, State, moved
from server.chats.store import chats, messages
from server.kit.db import Tx
from server.llm import Role, Text, ToolCall, ToolResult, decode
from server.loop import Row

CLEARED = "chat_cleared"
FORGOTTEN = (
    "The conversation before this point was cleared by the user. Nothing of it is known any more."
)


async def request_compaction(tx: Tx, chat_id: UUID) -> Chat:
    """Have the next turn fold the history; it begins at once.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        ChatArchived: nothing is done with it.
        NothingToCompact: it is busy, or has no history.
    """
    chat = await find.locked(tx, chat_id)
    policy.may_speak(tx.actor, chat)
    policy.takes_messages(chat)
    if not chat.idle:
        raise NothingToCompact(f'The chat is "{chat.status.value}".')
    if not _talk(await messages.prompt_view(tx, chat.id)):
        raise NothingToCompact("Nothing was said since the last summary.")
    kept = await chats.set_state(tx, moved(chat, Move.REQUEST_COMPACTION, tx.now))
    await tell(tx, kept, Change.STATUS)
    return kept


async def clear(tx: Tx, chat_id: UUID) -> Chat:
    """Hide the history from the model; people still see it, and where it was cleared.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        ChatArchived: nothing is done with it.
        NothingToClear: it is busy, messages wait, or it has no history.
    """
    chat = await find.locked(tx, chat_id)
    policy.takes_messages(chat)
    if chat.state not in (State.W, State.E0):
        reason = "messages wait" if chat.idle else f'it is "{chat.status.value}"'
        raise NothingToClear(f"The chat is not idle: {reason}.")
    if all(_hidden(row) for row in await messages.prompt_view(tx, chat.id)):
        raise NothingToClear("Nothing was said since it was last cleared.")
    ids = await messages.append(tx, chat.id, _boundary())
    cleared = replace(moved(chat, Move.CLEAR_CONTEXT, tx.now), last_error=chat.last_error)
    kept = await chats.set_state(tx, replace(cleared, stopped_runner_id=None))
    await tell(tx, kept, Change.MESSAGES, ids=ids)
    return kept


def _talk(view: Sequence[Message]) -> bool:
    """Tell whether a prompt holds anything besides system rows and a summary."""
    return any(row.role is not Role.SYSTEM and not row.compressed for row in view)


def _hidden(row: Message) -> bool:
    """Tell whether a row of a prompt is what stays when a chat was cleared; a summary is not."""
    said = decode(row.content, row.content_version) if row.compressed else ()
    return row.role is Role.SYSTEM or said == (Text(FORGOTTEN),)


def _boundary() -> list[NewMessage]:
    """Return three rows: what the model sees from here on, and what people see of it."""
    call = ToolCall(f"{CLEARED}_{uuid4()}", CLEARED, json.dumps({"source": "manual"}))
    rows = (
        Row(Role.USER, (Text(FORGOTTEN),), visibility="model", compressed=True),
        Row(Role.ASSISTANT, (call,), visibility="user", compressed=True),
        Row(
            Role.TOOL,
            (ToolResult(call.id, CLEARED, {"source": "manual"}),),
            visibility="both",
            compressed=True,
        ),
    )
    return [new_message(row) for row in rows]
