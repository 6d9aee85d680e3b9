"""Chats that nobody will miss: put away when idle for long, deleted when away for long."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

# A pinned root is kept in sight, and nothing is taken from under who works in it. What counts is
# the last word of the family, not when somebody changed a label.
IDLE: LiteralString = """
    SELECT c.id
      FROM chats c
     WHERE c.parent_chat_id IS NULL AND NOT c.archived AND c.pin_order = 0
       AND c.status IN ('waiting', 'error') AND c.created_at < %(before)s
       AND NOT EXISTS (
           SELECT 1 FROM chats f
            WHERE f.root_chat_id = c.id AND f.status NOT IN ('waiting', 'error'))
       AND NOT EXISTS (
           SELECT 1
             FROM (SELECT c.id UNION ALL SELECT f.id FROM chats f WHERE f.root_chat_id = c.id) f
            CROSS JOIN LATERAL (
                  SELECT m.created_at FROM chat_messages m
                   WHERE m.chat_id = f.id AND NOT m.deleted
                   ORDER BY m.id DESC LIMIT 1) l
            WHERE l.created_at >= %(before)s)
     ORDER BY c.id
     LIMIT %(most)s
"""

# What was put away is not changed any more: its last change is when that was.
DELETE: LiteralString = """
    DELETE FROM chats
     WHERE id IN (SELECT id FROM chats
                   WHERE archived AND parent_chat_id IS NULL AND updated_at < %(before)s
                   ORDER BY updated_at
                   LIMIT %(most)s
                     FOR UPDATE SKIP LOCKED)
"""


async def idle(tx: Tx, before: datetime, most: int) -> list[UUID]:
    """Return roots whose family said nothing since ``before``, and that may be put away."""
    return await tx.values(IDLE, {"before": before, "most": most})


async def delete(tx: Tx, before: datetime, most: int) -> int:
    """Delete roots that are away since ``before``, and all that is theirs; return how many."""
    return await tx.run(DELETE, {"before": before, "most": most})
