"""Put a chat away with its sub-agents, and bring it back. Source: reference, chats, section 1.9.

The caller has locked the chat, and may change it.
"""

from dataclasses import replace
from uuid import UUID

from server.chats.actions import stopping, turns
from server.chats.actions.telling import tell
from server.chats.actions.turns import Ended
from server.chats.errors import AlreadyArchived, NotArchived, ParentArchived
from server.chats.events import Change
from server.chats.model import Chat, Move, Status, moved, released
from server.chats.model.calls import INTERRUPTED
from server.chats.store import chats, queue
from server.kit.db import Tx


async def archive(tx: Tx, chat: Chat) -> Chat:
    """Put a locked chat away, a root with all its sub-agents.

    What runs is stopped, and what it had said by then is kept. Messages of its queue go to the
    log, where nobody answers them; those behind a failed turn stay in the queue. The place among
    the pinned chats is free, and closed with the next change of one.

    Raises:
        AlreadyArchived: it is.
    """
    if chat.archived:
        raise AlreadyArchived
    for member in await _family(tx, chat):
        if not member.archived:
            put = await _put_away(tx, member)
            chat = put if put.id == chat.id else chat
    return chat


async def unarchive(tx: Tx, chat: Chat) -> Chat:
    """Bring a locked chat back, a root with all its sub-agents.

    Raises:
        NotArchived: it is not away.
        ParentArchived: a sub-agent comes back with its parent only.
    """
    if not chat.archived:
        raise NotArchived
    if chat.parent_chat_id is not None and await _is_away(tx, chat.parent_chat_id):
        raise ParentArchived
    for member in await _family(tx, chat):
        if member.archived:
            back = await chats.set_state(tx, moved(member, Move.UNARCHIVE, tx.now))
            await tell(tx, back, Change.UNARCHIVED, Change.STATUS)
            chat = back if back.id == chat.id else chat
    return chat


async def _family(tx: Tx, chat: Chat) -> list[Chat]:
    """Return the chat and, of a root, its sub-agents; all are locked."""
    return await chats.lock_family(tx, chat.id) if chat.is_root else [chat]


async def _is_away(tx: Tx, chat_id: UUID) -> bool:
    parent = await chats.by_id(tx, chat_id)
    return parent is not None and parent.archived


async def _put_away(tx: Tx, chat: Chat) -> Chat:
    done = await _idle(tx, Ended(chat, history_before=chat.history_version))
    away = replace(moved(done.chat, Move.ARCHIVE, tx.now), pin_order=0)
    kept = await chats.set_state(tx, away, queue_changed=done.chat.queued != chat.queued)
    await tell(tx, kept, Change.ARCHIVED, Change.STATUS, *done.changes, ids=done.ids)
    return kept


async def _idle(tx: Tx, done: Ended) -> Ended:
    """Stop a locked chat with moves of the table: interrupt, let what waits begin, interrupt."""
    if done.chat.idle:
        return done
    if done.chat.status is Status.REQUIRES_ACTION:
        done = await turns.close_calls(tx, done, INTERRUPTED)
        done = done.then(moved(done.chat, Move.INTERRUPT, tx.now))
    if done.chat.queued:
        ids = await queue.send(tx, done.chat.id, count=done.chat.queued)
        # The last of them is the turn that is stopped: nobody may add to what came before it.
        begun = replace(
            released(done.chat), status=Status.RUNNING, queued=0, stopped_runner_id=None
        )
        done = done.then(begun, Change.MESSAGES, Change.QUEUE, ids=ids)
    if done.chat.status is Status.RUNNING:
        done = done.then(moved(done.chat, Move.INTERRUPT, tx.now))
    return await stopping.halted(tx, done)
