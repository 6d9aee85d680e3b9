"""What a step leaves, in one statement: guard, rows, versions, money."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

from server.chats.model import Chat, NewMessage
from server.chats.store.chats import COLUMNS
from server.chats.store.messages import ADDED, ADVANCED, BATCH, batch_args
from server.kit.db import Tx

# The lock of the chat is taken by the update, which looks at the row again if it had to wait: so
# the guard holds for the row as it is. A turn that was stopped hard may still leave what it wrote.
COMMIT: LiteralString = f"""
    WITH {BATCH},
    chat AS (
        UPDATE chats c {ADVANCED}
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
        DELETE FROM chat_spend_reservations WHERE runner_id = %(runner_id)s)
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


def batch(rows: Sequence[NewMessage]) -> Batch:
    """Return rows as the statement takes them."""
    return Batch(
        args=batch_args(rows),
        cost_micros=sum(row.cost_micros or 0 for row in rows),
        speaks=any(row.role == "assistant" and row.visibility != "model" for row in rows),
    )


async def commit(
    tx: Tx, chat_id: UUID, runner_id: UUID, rows: Batch, *, interrupted: bool = False
) -> Committed | None:
    """Add the rows of a step if the runner still owns the chat; return None if it does not.

    With ``interrupted`` a runner that was stopped hard may leave its last words.
    """
    args = {
        "chat_id": chat_id,
        "runner_id": runner_id,
        "interrupted": interrupted,
        "cost_micros": rows.cost_micros,
        "now": tx.now,
        **rows.args,
    }
    found = await tx.rows(COMMIT, args)
    if not found:
        return None
    ids: list[int] = found[0].pop("ids")
    chat = Chat(**found[0])
    return Committed(replace(chat, has_unread=chat.has_unread or rows.speaks), ids)
