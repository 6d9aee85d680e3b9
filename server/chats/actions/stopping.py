"""Stop a chat: ask its runner to, or do it in the place of a runner that is not there."""

from dataclasses import replace
from uuid import UUID

from server.chats.actions import find, turns
from server.chats.actions.telling import tell
from server.chats.actions.turns import Ended
from server.chats.events import Change
from server.chats.model import Chat, Move, Status, moved, stopped
from server.chats.model.calls import INTERRUPTED
from server.chats.store import chats
from server.kit.db import Tx


async def interrupt(tx: Tx, chat_id: UUID) -> Chat:
    """Stop the chat's turn; what it had said by then is kept. An idle chat stays as it is.

    Raises:
        NotFound: there is no such chat, or it is hidden.
        Forbidden: the actor may see it only.
    """
    chat = await find.locked(tx, chat_id)
    done = await interrupted(tx, Ended(chat, history_before=chat.history_version))
    if done.changes:
        await tell(tx, done.chat, *done.changes, ids=done.ids)
    return done.chat


async def interrupted(
    tx: Tx, done: Ended, *, move: Move = Move.INTERRUPT, queue_changed: bool = False
) -> Ended:
    """Interrupt a locked chat, as the first or only part of ``move``; tells nothing itself.

    With ``queue_changed`` the chat's row counts a message more, or the queue's order is new.
    """
    chat = done.chat
    match chat.status:
        case Status.REQUIRES_ACTION:
            done = await turns.close_calls(tx, done, INTERRUPTED)
            after = moved(done.chat, move, tx.now)
            kept = await chats.set_state(tx, after, queue_changed=queue_changed)
            return done.then(kept, Change.STATUS)
        case Status.RUNNING:
            after = replace(done, chat=moved(chat, move, tx.now))
            return await _stop(tx, after, write=True, queue_changed=queue_changed)
        case Status.INTERRUPTING:
            return await _stop(tx, done, write=queue_changed, queue_changed=queue_changed)
        case Status.WAITING | Status.ERROR:
            return done


async def _stop(tx: Tx, done: Ended, *, write: bool, queue_changed: bool) -> Ended:
    """Leave the rest to the runner, where one lives."""
    if not await chats.lease_lives(tx, done.chat):
        return await halted(tx, done)
    if not write:
        return done
    kept = await chats.set_state(tx, done.chat, queue_changed=queue_changed)
    return done.then(kept, Change.STATUS)


async def halted(tx: Tx, done: Ended) -> Ended:
    """End the interruption of a chat in its runner's place; the queue's head runs next.

    A runner that is still there may leave its last words, unless the history went on.
    """
    ended = await turns.finish_interruption(tx, stopped(done.chat))
    return done.then(ended.chat, *ended.changes, ids=ended.ids)
