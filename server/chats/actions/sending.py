"""Say something in a chat: it is the next turn, or waits in the queue behind what came before.

Source: reference, chats, sections 2.4 and 3.9.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from server import models
from server.chats import policy
from server.chats.actions import files, find, inputs, spending, stopping
from server.chats.actions.telling import tell
from server.chats.actions.turns import Ended
from server.chats.errors import InvalidBusyBehavior, QueueFull, UnknownMcpServers
from server.chats.events import Change
from server.chats.model import Chat, Message, Move, NewMessage, QueuedMessage, moved
from server.chats.model.orders import Busy, MessageOrder, check_effort
from server.chats.model.rules import USUAL, ChatRules
from server.chats.store import chats, messages, queue, steps
from server.kit.db import Tx
from server.llm import Part, Role, encode


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message: it is in the log, or it waits."""

    chat: Chat
    messages: Sequence[Message] = ()
    """The rows that were added: this message, or the one whose turn it was."""
    queued: QueuedMessage | None = None
    warnings: Sequence[str] = ()


async def send(tx: Tx, chat_id: UUID, order: MessageOrder, rules: ChatRules = USUAL) -> Sent:
    """Say something as the actor.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        InvalidBusyBehavior, ContentRequired, InvalidPart, InvalidEffort, UnknownMcpServers: the
            request makes no sense.
        ChatArchived: the chat takes no messages.
        UsageLimitExceeded: the owner's money is spent.
        NoSuchModelConfig: the model does not exist, or is switched off.
        QueueFull: too many messages wait already.
    """
    behavior = _behavior(order.busy_behavior)
    effort = check_effort(order.reasoning_effort)
    said = await inputs.parts(tx, order.content)
    chat = await find.locked(tx, chat_id)
    policy.may_speak(tx.actor, chat)
    policy.takes_messages(chat)
    await spending.check(tx, chat.owner_id)
    model = await models.choose(tx, order.model_config_id, chat.last_model_config_id)
    message = NewMessage(
        Role.USER,
        encode(said),
        created_by=tx.actor.user_id,
        model_config_id=model.id,
        reasoning_effort=effort,
    )
    sent = await deliver(tx, _settled(chat, order), message, behavior, rules)
    return replace(sent, warnings=await attached(tx, chat.id, said, rules))


async def deliver(
    tx: Tx, chat: Chat, message: NewMessage, behavior: Busy, rules: ChatRules = USUAL
) -> Sent:
    """Hand a message to a locked chat, and tell.

    Raises:
        QueueFull: it would have to wait, and too many do.
    """
    done = Ended(chat, history_before=chat.history_version)
    if chat.idle and chat.queued == 0:
        kept, row = await steps.send(tx, moved(chat, Move.SEND, tx.now), message)
        done = done.then(kept, Change.MESSAGES, Change.STATUS, ids=[row.id])
        return await _sent(tx, done, added=[row])
    if chat.queued >= rules.most_queued:
        raise QueueFull(rules.most_queued)
    waits = await queue.push(tx, chat.id, message)
    more = replace(done, chat=replace(chat, queued=chat.queued + 1), changes=(Change.QUEUE,))
    if chat.idle:
        # Older ones wait since the turn before failed: first in, first out.
        ids = await queue.send(tx, chat.id)
        after = moved(chat, Move.SEND, tx.now, queued=chat.queued + 1 - len(ids))
        kept = await chats.set_state(tx, after, queue_changed=True)
        done = more.then(kept, Change.MESSAGES, Change.STATUS, ids=ids)
    elif behavior is Busy.INTERRUPT:
        done = await stopping.interrupted(tx, more, move=Move.SEND_INTERRUPT, queue_changed=True)
    else:
        after = moved(chat, Move.SEND, tx.now, queued=more.chat.queued)
        done = replace(more, chat=await chats.set_state(tx, after, queue_changed=True))
    return await _sent(tx, done, waits)


async def attached(tx: Tx, chat_id: UUID, said: Sequence[Part], rules: ChatRules) -> list[str]:
    """Link the files of a message to its locked chat; return what to tell about the rest."""
    ids = inputs.file_ids(said)
    if not ids:
        return []
    return await files.warnings(tx, chat_id, tx.actor.user_id, ids, rules.most_files)


def refuse_mcp(ids: Sequence[UUID] | None) -> None:
    """Refuse MCP servers that nobody configured.

    Raises:
        UnknownMcpServers: there are such.
    """
    if ids:
        raise UnknownMcpServers(ids)


async def _sent(
    tx: Tx,
    done: Ended,
    waits: QueuedMessage | None = None,
    added: Sequence[Message] | None = None,
) -> Sent:
    if added is None:
        added = await messages.by_ids(tx, done.chat.id, done.ids) if done.ids else []
    await tell(tx, done.chat, *done.changes, ids=done.ids, rows=added)
    # First in, first out: where nothing waits any more, the newest of all is in the log.
    arrived = done.chat.queued == 0
    return Sent(
        done.chat, [row for row in added if row.role is Role.USER], None if arrived else waits
    )


def _behavior(given: str) -> Busy:
    try:
        return Busy(given or Busy.QUEUE)
    except ValueError:
        raise InvalidBusyBehavior(given) from None


def _settled(chat: Chat, order: MessageOrder) -> Chat:
    refuse_mcp(order.mcp_server_ids)
    plan = chat.plan_mode if order.plan_mode is None else order.plan_mode
    ids = chat.mcp_server_ids if order.mcp_server_ids is None else list(order.mcp_server_ids)
    return replace(chat, plan_mode=plan, mcp_server_ids=ids)
