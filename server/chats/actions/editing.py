"""Say something otherwise: what came after it goes, and the chat answers anew.

Source: reference, chats, sections 2.5 and 3.10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from server import models
from server.chats import policy
from server.chats.actions import find, inputs, spending
from server.chats.actions.sending import attached
from server.chats.actions.telling import tell
from server.chats.errors import MessageNotFound, OnlyUserMessages
from server.chats.events import Change
from server.chats.model import Chat, Message, Move, NewMessage, moved
from server.chats.model.orders import MessageOrder, check_effort
from server.chats.model.rules import USUAL, ChatRules
from server.chats.store import chats, messages, queue
from server.kit.db import Tx
from server.llm import Role, encode


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of an edit: the message that is there now, and those that are gone."""

    chat: Chat
    message: Message
    deleted: Sequence[int]
    warnings: Sequence[str] = ()


async def edit(
    tx: Tx, chat_id: UUID, message_id: int, order: MessageOrder, rules: ChatRules = USUAL
) -> Edited:
    """Replace a message of a person's and everything after it; the queue is emptied.

    A turn that runs loses its lease: nothing it still says is stored. Without a model in the
    request the original's stays. What the cut messages cost stays counted.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        ContentRequired, InvalidPart, InvalidEffort: the request makes no sense.
        ChatArchived: the chat takes no messages.
        MessageNotFound: the chat has no such message.
        OnlyUserMessages: a model or a tool said it.
        NoSuchModelConfig: the model does not exist, or is switched off; nothing was changed.
        UsageLimitExceeded: the owner's money is spent.
    """
    effort = check_effort(order.reasoning_effort)
    said = await inputs.parts(tx, order.content)
    chat = await find.locked(tx, chat_id)
    policy.may_speak(tx.actor, chat)
    policy.takes_messages(chat)
    original = await _editable(tx, chat, message_id)
    await spending.check(tx, chat.owner_id)
    last = original.model_config_id or chat.last_model_config_id
    model = await models.choose(tx, order.model_config_id, last)
    message = NewMessage(
        Role.USER,
        encode(said),
        created_by=tx.actor.user_id,
        model_config_id=model.id,
        reasoning_effort=original.reasoning_effort if order.reasoning_effort is None else effort,
    )
    gone = await messages.cut(tx, chat.id, message_id)
    emptied = await queue.clear(tx, chat.id) > 0
    ids = await messages.append(tx, chat.id, [message])
    warnings = await attached(tx, chat.id, said, rules)
    after = replace(moved(chat, Move.EDIT, tx.now, queued=0), stopped_runner_id=None)
    kept = await chats.set_state(tx, after, queue_changed=emptied)
    changes = (Change.HISTORY, Change.MESSAGES, Change.STATUS, Change.QUEUE)
    await tell(tx, kept, *changes, ids=ids)
    (added,) = await messages.by_ids(tx, chat.id, ids)
    return Edited(kept, added, gone, warnings)


async def _editable(tx: Tx, chat: Chat, message_id: int) -> Message:
    original = await messages.by_id(tx, chat.id, message_id)
    if original is None or original.visibility == "model":
        raise MessageNotFound
    if original.role is not Role.USER:
        raise OnlyUserMessages
    return original
