"""Who runs which chat: taken in batches, kept by heartbeats, taken back when these fail.

Source: reference, chats, sections 1.7, 3.1 and 3.17.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from server.chats.model import Chat
from server.chats.store.chats import COLUMNS
from server.kit.db import Tx

WAITS: LiteralString = """
    c.status IN ('running', 'interrupting') AND c.runner_id IS NULL AND NOT c.archived
    AND (c.status = 'interrupting'
         OR NOT EXISTS (SELECT FROM chat_pauses p
                         WHERE p.owner_id IS NULL OR p.owner_id = c.owner_id))
"""
"""What was stopped by an admin waits until that is lifted; an interruption is ended even so."""
ACQUIRE: LiteralString = f"""
    WITH roots AS (
        SELECT c.id, c.updated_at FROM chats c
         WHERE {WAITS} AND c.parent_chat_id IS NULL
         ORDER BY c.updated_at LIMIT %(roots)s FOR UPDATE SKIP LOCKED),
    children AS (
        SELECT c.id, c.updated_at FROM chats c
         WHERE {WAITS} AND c.parent_chat_id IS NOT NULL
         ORDER BY c.updated_at LIMIT %(children)s FOR UPDATE SKIP LOCKED),
    picked AS (
        SELECT id FROM (SELECT * FROM roots UNION ALL SELECT * FROM children) both_kinds
         ORDER BY updated_at LIMIT %(batch)s),
    taken AS (
        UPDATE chats c
           SET worker_id = %(worker)s, runner_id = gen_random_uuid(), started_at = %(now)s,
               generation_attempt = c.generation_attempt + 1, stopped_runner_id = NULL,
               snapshot_version = c.snapshot_version + 1
          FROM picked p, users u
         WHERE c.id = p.id AND u.id = c.owner_id
        RETURNING {COLUMNS}),
    beats AS (
        INSERT INTO chat_heartbeats (chat_id, runner_id, worker_id, expires_at)
        SELECT id, runner_id, worker_id, %(until)s FROM taken
        ON CONFLICT (chat_id) DO UPDATE
           SET runner_id = excluded.runner_id, worker_id = excluded.worker_id,
               expires_at = excluded.expires_at)
    SELECT * FROM taken ORDER BY updated_at
"""
# A lease without a row is written anew: the table does not outlive a crash of PostgreSQL.
BEAT: LiteralString = """
    WITH mine AS (
        SELECT c.id, c.runner_id, c.worker_id, c.snapshot_version FROM chats c
         WHERE c.runner_id = ANY(%(runners)s)),
    beats AS (
        INSERT INTO chat_heartbeats (chat_id, runner_id, worker_id, expires_at)
        SELECT id, runner_id, worker_id, %(until)s FROM mine ORDER BY id
        ON CONFLICT (chat_id) DO UPDATE
           SET runner_id = excluded.runner_id, worker_id = excluded.worker_id,
               expires_at = excluded.expires_at)
    SELECT runner_id, snapshot_version AS version FROM mine
"""
LEAVE: LiteralString = """
    left_alone AS (
        UPDATE chats c
           SET worker_id = NULL, runner_id = NULL, started_at = NULL,
               snapshot_version = c.snapshot_version + 1
          FROM picked p WHERE c.id = p.id
        RETURNING c.id, c.owner_id, c.parent_chat_id, c.status, c.snapshot_version,
                  c.history_version, c.queue_version, p.runner_id),
    gone AS (
        DELETE FROM chat_heartbeats h USING picked p
         WHERE h.chat_id = p.id AND h.runner_id = p.runner_id)
    SELECT id, owner_id, parent_chat_id, status, snapshot_version, history_version, queue_version
      FROM left_alone
"""
HAND_BACK: LiteralString = f"""
    WITH picked AS (
        SELECT id, runner_id FROM chats WHERE runner_id = ANY(%(runners)s)
         ORDER BY id FOR UPDATE),
    {LEAVE}
"""
RECOVER: LiteralString = f"""
    WITH picked AS (
        SELECT c.id, c.runner_id FROM chats c
         WHERE c.runner_id IS NOT NULL AND c.runner_id <> ALL(%(living)s::uuid[])
           AND NOT EXISTS (SELECT 1 FROM chat_heartbeats h
                            WHERE h.chat_id = c.id AND h.runner_id = c.runner_id
                              AND h.expires_at > %(now)s)
         ORDER BY c.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
    {LEAVE}
"""
OVERDUE: LiteralString = """
    SELECT id FROM chats
     WHERE status = 'requires_action' AND requires_action_deadline_at <= %(now)s
     ORDER BY requires_action_deadline_at LIMIT %(limit)s
"""
BUSY: LiteralString = """
    SELECT status, count(*) AS count FROM chats
     WHERE status IN ('running', 'interrupting', 'requires_action') GROUP BY status
"""
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Room:
    """How many turns a worker can take now."""

    roots: int
    children: int
    batch: int


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that still is its runner's, and the version of its chat."""

    runner_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Left:
    """A chat whose runner was taken from it: it waits for another one."""

    id: UUID
    owner_id: UUID
    parent_chat_id: UUID | None
    status: str
    snapshot_version: int
    history_version: int
    queue_version: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many chats have a status."""

    status: str
    count: int


async def acquire(tx: Tx, worker_id: UUID, room: Room, lease: timedelta) -> list[Chat]:
    """Take chats that wait, oldest first, each with a runner and a lease of its own."""
    args = {
        "worker": worker_id,
        "roots": room.roots,
        "children": room.children,
        "batch": room.batch,
        "now": tx.now,
        "until": tx.now + lease,
    }
    return await tx.all(Chat, ACQUIRE, args)


async def beat(tx: Tx, runners: Sequence[UUID], lease: timedelta) -> list[Held]:
    """Renew leases; those that are not returned are lost."""
    return await tx.all(Held, BEAT, {"runners": list(runners), "until": tx.now + lease})


async def hand_back(tx: Tx, runners: Sequence[UUID]) -> list[Left]:
    """Leave chats to other workers."""
    return await tx.all(Left, HAND_BACK, {"runners": list(runners)})


async def recover(tx: Tx, living: Collection[UUID] = ()) -> list[Left]:
    """Take chats from runners that do not say any more that they live; ``living`` are known to."""
    args = {"now": tx.now, "limit": MOST_AT_ONCE, "living": list(living)}
    return await tx.all(Left, RECOVER, args)


async def overdue(tx: Tx) -> list[UUID]:
    """Return chats that waited too long for the client to run its tools."""
    return await tx.values(OVERDUE, {"now": tx.now, "limit": MOST_AT_ONCE})


async def busy(tx: Tx) -> list[Count]:
    """Return how many chats of the deployment are at work, by status."""
    return await tx.all(Count, BUSY)
