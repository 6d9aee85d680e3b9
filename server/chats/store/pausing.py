"""Whose chats run nothing for now, and which chats have to be stopped for it."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from server.chats.model.spending import Pause
from server.kit.db import Tx

PUT: LiteralString = """
    INSERT INTO chat_pauses (owner_id, reason, paused_by, created_at)
    VALUES (%(owner_id)s, %(reason)s, %(by)s, %(now)s)
    ON CONFLICT (owner_id) DO UPDATE
       SET reason = excluded.reason, paused_by = excluded.paused_by
"""
LIFT: LiteralString = """
    DELETE FROM chat_pauses WHERE owner_id IS NOT DISTINCT FROM %(owner_id)s::uuid
"""
LIST: LiteralString = """
    SELECT p.owner_id AS user_id, coalesce(u.username, '') AS username, p.reason, p.paused_by,
           coalesce(b.username, '') AS paused_by_username, p.created_at
      FROM chat_pauses p
      LEFT JOIN users u ON u.id = p.owner_id
      LEFT JOIN users b ON b.id = p.paused_by
     WHERE %(all)s OR p.owner_id IS NULL OR p.owner_id = %(me)s::uuid
     ORDER BY p.owner_id NULLS FIRST
     LIMIT 1000
"""
# Whatever a chat waits for: a runner, its model, or the tools of its client.
RUNNING: LiteralString = """
    SELECT id FROM chats
     WHERE status IN ('running', 'interrupting', 'requires_action') AND id > %(after)s
       AND (%(owner_id)s::uuid IS NULL OR owner_id = %(owner_id)s::uuid)
     ORDER BY id LIMIT %(limit)s
"""


async def put(tx: Tx, owner_id: UUID | None, reason: str) -> None:
    """Let nothing of a user begin, or of nobody."""
    args = {"owner_id": owner_id, "reason": reason, "by": tx.actor.id, "now": tx.now}
    await tx.run(PUT, args)


async def lift(tx: Tx, owner_id: UUID | None) -> bool:
    """Take a pause away; False when there was none."""
    return await tx.run(LIFT, {"owner_id": owner_id}) == 1


async def listed(tx: Tx, *, everything: bool) -> list[Pause]:
    """Return the pauses; those that concern the actor, or all."""
    return await tx.all(Pause, LIST, {"all": everything, "me": tx.actor.id})


async def running(tx: Tx, owner_id: UUID | None, after: UUID, limit: int) -> Sequence[UUID]:
    """Return chats that do something or wait for it, behind ``after`` in the order of ids."""
    args = {"owner_id": owner_id, "after": after, "limit": limit}
    return await tx.values(RUNNING, args)
