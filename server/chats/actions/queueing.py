"""What can be done with messages that wait: take one back, or have it go next.

Source: reference, chats, section 3.9.
"""

from dataclasses import replace
from uuid import UUID

from server.chats import policy
from server.chats.actions import find, stopping, turns
from server.chats.actions.sending import Sent
from server.chats.actions.telling import tell
from server.chats.actions.turns import Ended
from server.chats.errors import QueuedMessageNotFound
from server.chats.events import Change
from server.chats.model import Chat, Move, QueuedMessage, Status, moved
from server.chats.model.calls import INTERRUPTED
from server.chats.store import chats, messages, queue
from server.kit.db import Tx


async def delete(tx: Tx, chat_id: UUID, queued_id: int) -> None:
    """Take a message back that nobody has run yet.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        QueuedMessageNotFound: it is not there, or was sent meanwhile: never both.
    """
    chat = await find.locked(tx, chat_id)
    if not await queue.delete(tx, chat.id, queued_id):
        raise QueuedMessageNotFound
    left = chat.queued - 1
    if chat.archived:
        after = replace(chat, queued=left)
    else:
        after = moved(chat, Move.DELETE_QUEUED, tx.now, queued=left)
    kept = await chats.set_state(tx, after, queue_changed=True)
    await tell(tx, kept, Change.QUEUE)


async def promote(tx: Tx, chat_id: UUID, queued_id: int) -> Sent:
    """Have a message go next: at once where nothing runs, else as soon as the turn is stopped.

    What was waited for from the client's tools is answered in its place. The limit of spending is
    not asked again.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        ChatArchived: the chat takes no messages.
        QueuedMessageNotFound: it is not there, or was sent meanwhile.
    """
    chat = await find.locked(tx, chat_id)
    policy.may_speak(tx.actor, chat)
    policy.takes_messages(chat)
    waiting = next((one for one in await queue.listed(tx, chat.id) if one.id == queued_id), None)
    if waiting is None:
        raise QueuedMessageNotFound
    done = Ended(chat, (), (Change.QUEUE,), chat.history_version)
    if chat.status in (Status.RUNNING, Status.INTERRUPTING):
        await queue.to_head(tx, chat.id, queued_id)
        done = await stopping.interrupted(tx, done, move=Move.PROMOTE, queue_changed=True)
    else:
        done = await _now(tx, done, queued_id)
    await tell(tx, done.chat, *done.changes, ids=done.ids)
    return await _became(tx, done.chat, done, waiting)


async def _now(tx: Tx, done: Ended, queued_id: int) -> Ended:
    if done.chat.status is Status.REQUIRES_ACTION:
        done = await turns.close_calls(tx, done, INTERRUPTED)
    ids = await queue.send(tx, done.chat.id, queued_id)
    after = moved(done.chat, Move.PROMOTE, tx.now, queued=done.chat.queued - len(ids))
    kept = await chats.set_state(tx, after, queue_changed=True)
    return done.then(kept, Change.MESSAGES, Change.STATUS, ids=ids)


async def _became(tx: Tx, chat: Chat, done: Ended, waiting: QueuedMessage) -> Sent:
    if not done.ids:
        return Sent(chat, queued=waiting)
    rows = await messages.by_ids(tx, chat.id, done.ids)
    return Sent(chat, [row for row in rows if row.role == "user"])
