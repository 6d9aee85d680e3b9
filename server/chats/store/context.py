"""Rows that hold nothing but what was found in workspaces."""

from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

_ONLY_CONTEXT: LiteralString = """
    m.chat_id = %(chat_id)s AND NOT m.deleted AND NOT m.compressed AND m.role = 'user'
    AND m.visibility = 'model' AND jsonb_array_length(m.content) > 0
    AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(m.content) AS part
                     WHERE part->>'type' NOT IN ('context-file', 'skill'))
"""
SIZE: LiteralString = f"""
    SELECT coalesce(sum(octet_length(m.content::text)), 0)::bigint
      FROM chat_messages m WHERE {_ONLY_CONTEXT}
"""
CLEAR: LiteralString = f"""
    WITH gone AS (
        UPDATE chat_messages m SET deleted = true WHERE {_ONLY_CONTEXT}
     RETURNING m.id),
    bumped AS (
        UPDATE chats c
           SET history_version = history_version + 1, snapshot_version = snapshot_version + 1
         WHERE c.id = %(chat_id)s AND EXISTS (SELECT 1 FROM gone))
    SELECT id FROM gone
"""


async def size(tx: Tx, chat_id: UUID) -> int:
    """Return how many bytes there are of them in a chat's log."""
    return await tx.value(SIZE, {"chat_id": chat_id})


async def clear(tx: Tx, chat_id: UUID) -> int:
    """Take them out of a locked chat's log; return how many there were."""
    return len(await tx.values(CLEAR, {"chat_id": chat_id}))
