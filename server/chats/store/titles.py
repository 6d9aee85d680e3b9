"""What titles are made from, who makes one just now, and what it cost."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from server.chats.model.titles import EDGE, STALE_AFTER, Said
from server.kit.db import Tx, jsonb
from server.llm import Prices, Usage

# Text parts only: neither thoughts nor what tools said name a conversation.
SAID: LiteralString = """
    SELECT m.role, coalesce(p.text, '') AS text
      FROM (SELECT id, role, content,
                   row_number() OVER (ORDER BY id) AS first,
                   row_number() OVER (ORDER BY id DESC) AS last
              FROM chat_messages
             WHERE chat_id = %(id)s AND NOT deleted AND visibility <> 'model'
               AND role IN ('user', 'assistant')) m
     CROSS JOIN LATERAL (
           SELECT string_agg(part ->> 'text', E'\\n' ORDER BY place) AS text
             FROM jsonb_array_elements(m.content) WITH ORDINALITY AS parts (part, place)
            WHERE part ->> 'type' = 'text') p
     WHERE m.first <= %(edge)s OR m.last <= %(edge)s
     ORDER BY m.id
"""

# Two rows are enough to know that there is more than one.
FIRST: LiteralString = """
    SELECT role, coalesce((SELECT string_agg(part ->> 'text', E'\\n' ORDER BY place)
                             FROM jsonb_array_elements(content)
                                  WITH ORDINALITY AS parts (part, place)
                            WHERE part ->> 'type' = 'text'), '') AS text
      FROM chat_messages
     WHERE chat_id = %(id)s AND NOT deleted AND visibility <> 'model' AND role <> 'system'
     ORDER BY id
     LIMIT 2
"""

BEGIN: LiteralString = """
    UPDATE chats SET retitling_since = %(now)s
     WHERE id = %(id)s AND (retitling_since IS NULL OR retitling_since < %(before)s)
"""

END: LiteralString = """
    UPDATE chats SET retitling_since = NULL WHERE id = %(id)s AND retitling_since = %(since)s
"""

# Nobody sees the row, and no prompt has it; it is there because sums of costs count all rows.
# The chat's own row stays as it is: its last model is still whoever talks in it.
COST: LiteralString = """
    WITH row AS (
        INSERT INTO chat_messages
               (chat_id, model_config_id, created_at, role, content, visibility, deleted,
                input_tokens, output_tokens, total_tokens, reasoning_tokens,
                cache_creation_tokens, cache_read_tokens, total_cost_micros, price)
        VALUES (%(chat)s, %(model)s, %(now)s, 'assistant', '[]', 'model', true,
                NULLIF(%(input_tokens)s::bigint, 0), NULLIF(%(output_tokens)s::bigint, 0),
                NULLIF(%(total_tokens)s::bigint, 0), NULLIF(%(reasoning_tokens)s::bigint, 0),
                NULLIF(%(cache_creation_tokens)s::bigint, 0),
                NULLIF(%(cache_read_tokens)s::bigint, 0), %(cost)s, %(price)s))
    INSERT INTO chat_spend (owner_id, organization_id, day, cost_micros)
    SELECT owner_id, organization_id, (%(now)s::timestamptz AT TIME ZONE 'UTC')::date,
           %(cost)s::bigint
      FROM chats WHERE id = %(chat)s AND %(cost)s::bigint > 0
    ON CONFLICT (owner_id, organization_id, day)
    DO UPDATE SET cost_micros = chat_spend.cost_micros + EXCLUDED.cost_micros
"""


async def said(tx: Tx, chat_id: UUID) -> list[Said]:
    """Return the words of a chat's first and last messages, oldest first."""
    return await tx.all(Said, SAID, {"id": chat_id, "edge": EDGE})


async def first(tx: Tx, chat_id: UUID) -> Said | None:
    """Return the words that a chat began with, if nothing was said since."""
    found = await tx.all(Said, FIRST, {"id": chat_id})
    return found[0] if len(found) == 1 and found[0].role == "user" else None


async def begin(tx: Tx, chat_id: UUID) -> bool:
    """Keep others from making a title; False when somebody else does already."""
    return bool(await tx.run(BEGIN, {"id": chat_id, "now": tx.now, "before": tx.now - STALE_AFTER}))


async def end(tx: Tx, chat_id: UUID, since: datetime) -> None:
    """Let others make a title again, unless they took over since."""
    await tx.run(END, {"id": chat_id, "since": since})


async def add_cost(
    tx: Tx, chat_id: UUID, model_id: UUID, usage: Usage, cost: int | None, prices: Prices | None
) -> None:
    """Remember what a title cost."""
    args = {
        "chat": chat_id,
        "model": model_id,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cache_creation_tokens": usage.cache_creation_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cost": cost,
        "price": None if prices is None else jsonb(_price(prices)),
        "now": tx.now,
    }
    await tx.run(COST, args)


def _price(prices: Prices) -> dict[str, str | None]:
    told = {
        "input": prices.input,
        "output": prices.output,
        "cache_read": prices.cache_read,
        "cache_write": prices.cache_write,
    }
    return {"source": prices.source} | {
        name: None if price is None else str(price) for name, price in told.items()
    }
