"""What a step leaves, in one statement: guard, rows, versions, money."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

from server.chats.model import Chat, Message, NewMessage
from server.chats.store.chats import COLUMNS, LEFT, STATE, Versions, state_args, with_versions
from server.chats.store.messages import ADDED, ADVANCED, BATCH, FORWARD, batch_args
from server.chats.store.messages import COLUMNS as MESSAGE
from server.kit.db import Tx

_ENDS: LiteralString = """
    (%(last)s AND c.status = 'running' AND c.queued = 0 AND c.runner_id = %(runner_id)s)
"""
# The commonest move, "finish turn" where nothing waits and nobody interrupts, in the statement that
# stores the last step: one version of the row less. A test holds it to ``model.moved``.
ENDED: LiteralString = f"""
    status = CASE WHEN {_ENDS} THEN 'waiting' ELSE c.status END,
    worker_id = CASE WHEN {_ENDS} THEN NULL ELSE c.worker_id END,
    runner_id = CASE WHEN {_ENDS} THEN NULL ELSE c.runner_id END,
    started_at = CASE WHEN {_ENDS} THEN NULL ELSE c.started_at END,
    last_error = CASE WHEN {_ENDS} THEN NULL ELSE c.last_error END,
    compaction_requested_at = CASE WHEN {_ENDS} THEN NULL ELSE c.compaction_requested_at END
"""
# The lock of the chat is taken by the update, which looks at the row again if it had to wait: so
# the guard holds for the row as it is. A turn that was stopped hard may still leave what it wrote.
COMMIT: LiteralString = f"""
    WITH {BATCH},
    chat AS (
        UPDATE chats c {ADVANCED}, {ENDED}
          FROM users u
         WHERE c.id = %(chat_id)s AND u.id = c.owner_id
           AND (c.runner_id = %(runner_id)s
                OR (%(interrupted)s AND c.runner_id IS NULL
                    AND c.stopped_runner_id = %(runner_id)s))
        RETURNING {COLUMNS}),
    {ADDED},
    spent AS (
        INSERT INTO chat_spend (owner_id, organization_id, day, cost_micros)
        SELECT owner_id, organization_id, (%(now)s::timestamptz AT TIME ZONE 'UTC')::date,
               %(cost_micros)s::bigint
          FROM chat WHERE %(cost_micros)s::bigint > 0
        ON CONFLICT (owner_id, organization_id, day)
        DO UPDATE SET cost_micros = chat_spend.cost_micros + EXCLUDED.cost_micros),
    paid AS (
        DELETE FROM chat_spend_reservations WHERE runner_id = %(runner_id)s),
    gone AS (
        DELETE FROM chat_heartbeats h USING chat
         WHERE h.chat_id = chat.id AND h.runner_id = %(runner_id)s AND chat.runner_id IS NULL)
    SELECT chat.*, ARRAY(SELECT id FROM added ORDER BY id) AS ids FROM chat
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of a step, ready for the database: made before its transaction begins."""

    args: dict[str, Any]
    cost_micros: int
    speaks: bool
    """People see an answer in it."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A chat after a step, still locked, and the ids of the step's rows."""

    chat: Chat
    ids: list[int]
    ended: bool
    """The turn is over with it."""


def batch(rows: Sequence[NewMessage]) -> Batch:
    """Return rows as the statement takes them."""
    return Batch(
        args=batch_args(rows),
        cost_micros=sum(row.cost_micros or 0 for row in rows),
        speaks=any(row.role == "assistant" and row.visibility != "model" for row in rows),
    )


async def commit(
    tx: Tx,
    chat_id: UUID,
    runner_id: UUID,
    rows: Batch,
    *,
    interrupted: bool = False,
    last: bool = False,
) -> Committed | None:
    """Add the rows of a step if the runner still owns the chat; return None if it does not.

    With ``interrupted`` a runner that was stopped hard may leave its last words. With ``last`` the
    turn ends as well, unless messages wait or somebody interrupts: then the caller ends it.
    """
    args = {
        "chat_id": chat_id,
        "runner_id": runner_id,
        "interrupted": interrupted,
        "last": last and not interrupted,
        "cost_micros": rows.cost_micros,
        "now": tx.now,
        **rows.args,
    }
    found = await tx.rows(COMMIT, args)
    if not found:
        return None
    ids: list[int] = found[0].pop("ids")
    chat = Chat(**found[0])
    chat = replace(chat, has_unread=chat.has_unread or rows.speaks)
    return Committed(chat, ids, ended=not interrupted and chat.runner_id is None)


SEND: LiteralString = f"""
    WITH {BATCH}, {LEFT},
    chat AS (
        UPDATE chats c SET {FORWARD}, {STATE} WHERE c.id = %(id)s
        RETURNING c.id, c.snapshot_version, c.history_version, c.queue_version,
                  c.last_model_config_id, c.last_reasoning_effort),
    {ADDED}
    SELECT {MESSAGE}, chat.snapshot_version, chat.history_version, chat.queue_version,
           chat.last_model_config_id, chat.last_reasoning_effort
      FROM added m CROSS JOIN chat
"""


async def send(tx: Tx, chat: Chat, message: NewMessage) -> tuple[Chat, Message]:
    """Add a message to a locked chat together with what it made of the row; return both."""
    args = {"now": tx.now, **state_args(chat), **batch_args([message])}
    (row,) = await tx.rows(SEND, args)
    versions = Versions(
        snapshot_version=row.pop("snapshot_version"),
        history_version=row.pop("history_version"),
        queue_version=row.pop("queue_version"),
    )
    model, effort = row.pop("last_model_config_id"), row.pop("last_reasoning_effort")
    kept = replace(chat, last_model_config_id=model, last_reasoning_effort=effort)
    return with_versions(kept, tx, versions), Message(**row)
