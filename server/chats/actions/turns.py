"""How a turn's steps are stored and how it ends: each one transaction, held by the runner's lease.

A runner calls these with the id of its lease. Whoever lost it changes nothing (``LeaseLost``).
Source: reference, chats, sections 1.6.3, 3.2, 3.3 and 3.9.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from server.chats.actions.telling import tell
from server.chats.events import Change
from server.chats.model import Chat, Message, Move, NewMessage, Status, moved, reconciled, released
from server.chats.model.calls import INTERRUPTED, TIMED_OUT, open_calls, refusal
from server.chats.model.failures import Failure, failure_of
from server.chats.store import chats, messages, queue, steps
from server.chats.store.steps import Batch, batch
from server.kit.db import Tx
from server.llm import Part, Role, ToolCall, decode, encode
from server.loop import Done, Failed, LeaseLost, Limited, Outcome, Parked, Stopped

__all__ = [
    "Batch",
    "Ended",
    "batch",
    "close_calls",
    "commit_step",
    "end_turn",
    "expire_requires_action",
    "finish_error",
    "finish_interruption",
    "reconcile",
    "required_calls",
]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a transaction came to: the chat as it is since, and the rows that were added."""

    chat: Chat
    ids: tuple[int, ...] = ()
    changes: tuple[Change, ...] = ()
    history_before: int = 0
    """The chat's ``history_version`` before."""

    def then(self, chat: Chat, *changes: Change, ids: Sequence[int] = ()) -> "Ended":
        """Return this and what came after it."""
        return replace(self, chat=chat, ids=(*self.ids, *ids), changes=(*self.changes, *changes))


async def commit_step(
    tx: Tx,
    chat_id: UUID,
    runner_id: UUID,
    rows: Batch,
    *,
    interrupted: bool = False,
    last: Outcome | None = None,
) -> Ended:
    """Store the rows of a step and tell; with ``last`` the turn ends with them.

    One statement stores rows, versions and money, and ends the turn where nothing waits; else
    another one does. Make ``rows`` before the transaction (``batch``).

    Raises:
        LeaseLost: the chat is no longer the runner's, or its history was cut.
    """
    done_with = isinstance(last, Done)
    stored = await steps.commit(
        tx, chat_id, runner_id, rows, interrupted=interrupted, last=done_with
    )
    if stored is None:
        raise LeaseLost
    done = Ended(
        stored.chat, tuple(stored.ids), (Change.MESSAGES,), stored.chat.history_version - 1
    )
    if stored.ended:
        done = done.then(stored.chat, Change.STATUS)
    elif last is not None and stored.chat.runner_id == runner_id:
        done = await _end(tx, done, last)
    await tell(tx, done.chat, *done.changes, ids=done.ids)
    return done


async def end_turn(tx: Tx, chat_id: UUID, runner_id: UUID, outcome: Outcome) -> Ended:
    """End a turn whose last rows are stored: wait, run the queue's head, park, or fail.

    A turn that somebody stopped meanwhile ends as an interrupted one, whatever it came to; one
    that was stopped for another reason (``Stopped`` while it should run) goes back to the workers.

    Raises:
        LeaseLost: the chat is no longer the runner's.
    """
    chat = await _owned(tx, chat_id, runner_id)
    done = await _end(tx, Ended(chat, history_before=chat.history_version), outcome)
    await tell(tx, done.chat, *done.changes, ids=done.ids)
    return done


async def finish_error(tx: Tx, chat_id: UUID, runner_id: UUID, failure: Failure) -> Ended:
    """End a turn that failed for a reason that no model gave, such as a panic.

    Raises:
        LeaseLost: the chat is no longer the runner's.
    """
    chat = await _owned(tx, chat_id, runner_id)
    done = await _fail(tx, Ended(chat, history_before=chat.history_version), failure)
    await tell(tx, done.chat, *done.changes, ids=done.ids)
    return done


async def finish_interruption(tx: Tx, chat: Chat) -> Ended:
    """End the interruption of a locked chat, and let the queue's head run; tells nothing itself.

    For the runner, and for whoever interrupts a chat that nobody runs.
    """
    return await _finish(tx, Ended(chat, history_before=chat.history_version), interrupted=True)


async def expire_requires_action(tx: Tx, chat_id: UUID) -> Ended | None:
    """Fail a chat whose client let the deadline of its tools pass; None when it did not."""
    chat = await chats.lock(tx, chat_id)
    if chat is None or chat.status is not Status.REQUIRES_ACTION:
        return None
    deadline = chat.requires_action_deadline_at
    if deadline is not None and deadline > tx.now:
        return None
    done = Ended(chat, history_before=chat.history_version)
    done = await close_calls(tx, done, TIMED_OUT)
    done = replace(done, chat=moved(done.chat, Move.COMPLETE_ACTION, tx.now))
    done = await _fail(tx, done, Failure(TIMED_OUT))
    await tell(tx, done.chat, *done.changes, ids=done.ids)
    return done


async def reconcile(tx: Tx, chat: Chat) -> Ended | None:
    """Repair a locked chat whose row no chat may have; None when there is nothing to repair."""
    waiting = len(await queue.listed(tx, chat.id))
    parked = chat.status is Status.REQUIRES_ACTION
    lost = parked and not await required_calls(tx, chat.id)
    if chat.state is not None and waiting == chat.queued and not lost:
        return None
    broken = replace(chat, queued=waiting)
    fixed = reconciled(broken, tx.now, "The chat was in a state that cannot be. Send to it again.")
    kept = await chats.set_state(tx, fixed, queue_changed=True)
    done = Ended(kept, (), (Change.STATUS, Change.ERROR, Change.QUEUE), chat.history_version)
    await tell(tx, done.chat, *done.changes)
    return done


async def required_calls(tx: Tx, chat_id: UUID) -> tuple[ToolCall, ...]:
    """Return the calls that a parked chat waits for."""
    return open_calls(_parts(await messages.last_step(tx, chat_id)))


async def close_calls(tx: Tx, done: Ended, reason: str) -> Ended:
    """Answer the open calls of a locked chat in their client's place."""
    calls = await required_calls(tx, done.chat.id)
    if not calls:
        return done
    rows = [NewMessage(Role.TOOL, encode([refusal(call, reason)])) for call in calls]
    ids = await messages.append(tx, done.chat.id, rows)
    return done.then(done.chat, Change.MESSAGES, ids=ids)


async def _owned(tx: Tx, chat_id: UUID, runner_id: UUID) -> Chat:
    chat = await chats.lock(tx, chat_id)
    if chat is None or chat.runner_id != runner_id:
        raise LeaseLost
    return chat


async def _end(tx: Tx, done: Ended, outcome: Outcome) -> Ended:
    stopping = done.chat.status is Status.INTERRUPTING
    match outcome:
        case Parked() if stopping:
            done = await close_calls(tx, done, INTERRUPTED)
            return await _finish(tx, done, interrupted=True)
        case Parked():
            return await _park(tx, done)
        case Stopped() if not stopping:
            return await _release(tx, done)
        case Failed() | Limited() if not stopping:
            return await _fail(tx, done, failure_of(outcome))
        case _:
            return await _finish(tx, done, interrupted=stopping)


async def _finish(tx: Tx, done: Ended, *, interrupted: bool) -> Ended:
    move = Move.FINISH_INTERRUPTION if interrupted else Move.FINISH_TURN
    chat = done.chat
    if chat.queued == 0:
        kept = await chats.set_state(tx, moved(chat, move, tx.now))
        return done.then(kept, Change.STATUS)
    ids = await queue.send(tx, chat.id)
    after = moved(chat, move, tx.now, queued=chat.queued - len(ids))
    kept = await chats.set_state(tx, after, queue_changed=True)
    return done.then(kept, Change.STATUS, Change.MESSAGES, Change.QUEUE, ids=ids)


async def _park(tx: Tx, done: Ended) -> Ended:
    kept = await chats.set_state(tx, moved(done.chat, Move.ENTER_ACTION, tx.now))
    return done.then(kept, Change.STATUS, Change.ACTION)


async def _fail(tx: Tx, done: Ended, failure: Failure) -> Ended:
    if done.chat.status is Status.INTERRUPTING:
        return await _finish(tx, done, interrupted=True)
    failed = replace(moved(done.chat, Move.FINISH_ERROR, tx.now), last_error=failure.as_json())
    kept = await chats.set_state(tx, failed)
    return done.then(kept, Change.STATUS, Change.ERROR)


async def _release(tx: Tx, done: Ended) -> Ended:
    kept = await chats.set_state(tx, released(done.chat))
    return done.then(kept, Change.STATUS)


def _parts(rows: Sequence[Message]) -> list[tuple[Part, ...]]:
    return [decode(row.content, row.content_version) for row in rows]
