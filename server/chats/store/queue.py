"""Messages that wait until their chat is idle: first in, first out, by position."""

from typing import LiteralString
from uuid import UUID

from server.chats.model import NewMessage, QueuedMessage
from server.chats.store.messages import ZERO
from server.kit.db import Tx

COLUMNS: LiteralString = """
    id, chat_id, content, model_config_id, reasoning_effort, created_by, position, created_at
"""
ALL: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_queued_messages WHERE chat_id = %(chat_id)s ORDER BY position, id
"""
INSERT: LiteralString = f"""
    INSERT INTO chat_queued_messages (chat_id, content, model_config_id, reasoning_effort,
                                      created_by, position, created_at)
    SELECT %(chat_id)s, %(content)s::jsonb, NULLIF(%(model_config_id)s::uuid, %(zero)s::uuid),
           %(reasoning_effort)s, NULLIF(%(created_by)s::uuid, %(zero)s::uuid),
           coalesce(max(position), 0) + 1, %(now)s
      FROM chat_queued_messages WHERE chat_id = %(chat_id)s
 RETURNING {COLUMNS}
"""
DELETE: LiteralString = """
    DELETE FROM chat_queued_messages WHERE chat_id = %(chat_id)s AND id = %(id)s
"""
CLEAR: LiteralString = "DELETE FROM chat_queued_messages WHERE chat_id = %(chat_id)s"
TO_HEAD: LiteralString = """
    UPDATE chat_queued_messages
       SET position = (SELECT min(position) - 1 FROM chat_queued_messages
                        WHERE chat_id = %(chat_id)s)
     WHERE chat_id = %(chat_id)s AND id = %(id)s
"""
# A model that was switched off since falls back to the one that the chat used last.
SEND: LiteralString = """
    WITH taken AS (
        DELETE FROM chat_queued_messages WHERE id IN (
               SELECT q.id FROM chat_queued_messages q
                WHERE q.chat_id = %(chat_id)s AND (%(id)s::bigint IS NULL OR q.id = %(id)s)
                ORDER BY q.position, q.id LIMIT %(count)s)
        RETURNING id, content, model_config_id, reasoning_effort, created_by, position),
    batch AS (
        SELECT t.*, coalesce(g.id, l.last_model_config_id) AS model
          FROM taken t JOIN chats l ON l.id = %(chat_id)s
          LEFT JOIN chat_model_configs g
            ON g.id = t.model_config_id AND g.enabled AND NOT g.deleted),
    chat AS (
        UPDATE chats c
           SET last_model_config_id = (SELECT b.model FROM batch b
                                        ORDER BY b.position DESC, b.id DESC LIMIT 1),
               last_reasoning_effort = (SELECT coalesce(NULLIF(b.reasoning_effort, ''),
                                                        c.last_reasoning_effort)
                                          FROM batch b ORDER BY b.position DESC, b.id DESC LIMIT 1),
               snapshot_version = c.snapshot_version + 1, history_version = c.history_version + 1,
               generation_attempt = 0, retry_state = NULL, updated_at = %(now)s
         WHERE c.id = %(chat_id)s AND EXISTS (SELECT 1 FROM batch)
        RETURNING c.id, c.snapshot_version),
    added AS (
        INSERT INTO chat_messages (chat_id, created_by, model_config_id, created_at, role, content,
                                   content_version, revision, reasoning_effort)
        SELECT chat.id, b.created_by, b.model, %(now)s, 'user', b.content, 1,
               chat.snapshot_version, b.reasoning_effort
          FROM batch b CROSS JOIN chat ORDER BY b.position, b.id
        RETURNING id)
    SELECT id FROM added ORDER BY id
"""


async def listed(tx: Tx, chat_id: UUID) -> list[QueuedMessage]:
    """Return what waits, the next one first."""
    return await tx.all(QueuedMessage, ALL, {"chat_id": chat_id})


async def push(tx: Tx, chat_id: UUID, message: NewMessage) -> QueuedMessage:
    """Put a message at the end of the queue of a locked chat."""
    args = {
        "chat_id": chat_id,
        "content": message.content,
        "model_config_id": message.model_config_id or ZERO,
        "reasoning_effort": message.reasoning_effort,
        "created_by": message.created_by or ZERO,
        "zero": ZERO,
        "now": tx.now,
    }
    pushed = await tx.one(QueuedMessage, INSERT, args)
    if pushed is None:
        raise LookupError(chat_id)
    return pushed


async def delete(tx: Tx, chat_id: UUID, queued_id: int) -> bool:
    """Take one out of the queue; tell whether it was there."""
    return await tx.run(DELETE, {"chat_id": chat_id, "id": queued_id}) > 0


async def clear(tx: Tx, chat_id: UUID) -> int:
    """Empty the queue; return how many there were."""
    return await tx.run(CLEAR, {"chat_id": chat_id})


async def to_head(tx: Tx, chat_id: UUID, queued_id: int) -> bool:
    """Have one go next; tell whether it was there."""
    return await tx.run(TO_HEAD, {"chat_id": chat_id, "id": queued_id}) > 0


async def send(tx: Tx, chat_id: UUID, queued_id: int | None = None, *, count: int = 1) -> list[int]:
    """Move the head (or one by its id, or ``count``) from the queue to the log; return its ids.

    One statement: what does not arrive in the log stays in the queue.
    """
    args = {"chat_id": chat_id, "id": queued_id, "count": count, "now": tx.now}
    return await tx.values(SEND, args)
