"""The log of a chat: append, read as the model and as people see it, cut."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from server.chats.model import Message, MessagePage, NewMessage
from server.kit.db import Tx
from server.llm import Usage

ZERO = UUID(int=0)

COLUMNS: LiteralString = """
    m.id, m.chat_id, m.created_by, m.model_config_id, m.created_at, m.role, m.content,
    m.content_version, m.visibility, m.compressed, m.deleted, m.revision, m.reasoning_effort,
    m.input_tokens, m.output_tokens, m.total_tokens, m.reasoning_tokens, m.cache_creation_tokens,
    m.cache_read_tokens, m.context_limit, m.total_cost_micros, m.runtime_ms,
    m.provider_response_id
"""
"""Of ``chat_messages m``: what a ``Message`` is read from."""

BATCH: LiteralString = """
    batch AS (
        SELECT NULLIF(created_by, '00000000-0000-0000-0000-000000000000') AS created_by,
               NULLIF(model_config_id, '00000000-0000-0000-0000-000000000000') AS model_config_id,
               coalesce(created_at, %(now)s) AS created_at, role, content::jsonb AS content,
               visibility, compressed, reasoning_effort,
               NULLIF(input_tokens, 0) AS input_tokens, NULLIF(output_tokens, 0) AS output_tokens,
               NULLIF(total_tokens, 0) AS total_tokens,
               NULLIF(reasoning_tokens, 0) AS reasoning_tokens,
               NULLIF(cache_creation_tokens, 0) AS cache_creation_tokens,
               NULLIF(cache_read_tokens, 0) AS cache_read_tokens,
               NULLIF(context_limit, 0) AS context_limit, total_cost_micros, price::jsonb AS price,
               NULLIF(runtime_ms, 0) AS runtime_ms,
               NULLIF(response_id, '') AS provider_response_id, place
          FROM unnest(
               %(created_by)s::uuid[], %(model_config_id)s::uuid[], %(created_at)s::timestamptz[],
               %(role)s::text[], %(content)s::text[], %(visibility)s::text[],
               %(compressed)s::boolean[], %(reasoning_effort)s::text[], %(input_tokens)s::bigint[],
               %(output_tokens)s::bigint[], %(total_tokens)s::bigint[],
               %(reasoning_tokens)s::bigint[], %(cache_creation_tokens)s::bigint[],
               %(cache_read_tokens)s::bigint[], %(context_limit)s::bigint[],
               %(total_cost_micros)s::bigint[], %(price)s::text[], %(runtime_ms)s::bigint[],
               %(response_id)s::text[])
               WITH ORDINALITY AS given (
               created_by, model_config_id, created_at, role, content, visibility, compressed,
               reasoning_effort, input_tokens, output_tokens, total_tokens, reasoning_tokens,
               cache_creation_tokens, cache_read_tokens, context_limit, total_cost_micros, price,
               runtime_ms, response_id, place))
"""
"""The rows of a batch, from arrays (``batch_args``). No id and no number are NULL: so is zero."""

FORWARD: LiteralString = """
    last_model_config_id = coalesce(
            (SELECT b.model_config_id FROM batch b WHERE b.model_config_id IS NOT NULL
              ORDER BY b.place DESC LIMIT 1), c.last_model_config_id),
        last_reasoning_effort = coalesce(
            (SELECT NULLIF(b.reasoning_effort, '') FROM batch b WHERE b.role = 'user'
              ORDER BY b.place DESC LIMIT 1), c.last_reasoning_effort),
        snapshot_version = c.snapshot_version + 1, history_version = c.history_version + 1,
        updated_at = %(now)s
"""
"""What rows do to their chat: it is of the last model that wrote or was asked."""

ADVANCED: LiteralString = f"SET {FORWARD}, generation_attempt = 0, retry_state = NULL"
"""The same, and the step after them has not been tried yet."""

ADDED: LiteralString = """
    added AS (
        INSERT INTO chat_messages (
               chat_id, created_by, model_config_id, created_at, role, content, content_version,
               visibility, compressed, revision, reasoning_effort, input_tokens, output_tokens,
               total_tokens, reasoning_tokens, cache_creation_tokens, cache_read_tokens,
               context_limit, total_cost_micros, price, runtime_ms, provider_response_id)
        SELECT chat.id, b.created_by, b.model_config_id, b.created_at, b.role, b.content, 1,
               b.visibility, b.compressed, chat.snapshot_version, b.reasoning_effort,
               b.input_tokens, b.output_tokens, b.total_tokens, b.reasoning_tokens,
               b.cache_creation_tokens, b.cache_read_tokens, b.context_limit,
               b.total_cost_micros, b.price, b.runtime_ms, b.provider_response_id
          FROM batch b CROSS JOIN chat ORDER BY b.place
        RETURNING *)
"""
"""The insert of ``batch`` into ``chat``; ids follow the order of the batch."""

APPEND: LiteralString = f"""
    WITH {BATCH},
    chat AS (UPDATE chats c {ADVANCED} WHERE c.id = %(chat_id)s
             RETURNING c.id, c.snapshot_version),
    {ADDED}
    SELECT id FROM added ORDER BY id
"""

PROMPT: LiteralString = f"""
    WITH summary AS (
        SELECT coalesce(max(s.id), 0) AS id FROM chat_messages s
         WHERE s.chat_id = %(chat_id)s AND NOT s.deleted AND s.compressed
           AND s.visibility = 'model'),
    m AS (
        SELECT b.* FROM chat_messages b
         WHERE b.chat_id = %(chat_id)s AND NOT b.deleted AND b.role = 'system'
           AND NOT b.compressed AND b.visibility <> 'user'
           AND b.id < (SELECT id FROM summary)
        UNION ALL
        SELECT l.* FROM chat_messages l
         WHERE l.chat_id = %(chat_id)s AND NOT l.deleted AND l.visibility <> 'user'
           AND l.id >= (SELECT id FROM summary)
           AND (NOT l.compressed OR l.visibility = 'model'))
    SELECT {COLUMNS}, coalesce(g.provider, '') AS provider, coalesce(g.model, '') AS model
      FROM m LEFT JOIN chat_model_configs g ON g.id = m.model_config_id
     ORDER BY m.id
"""
"""What a model is sent: system rows, the newest summary, and what came after it."""

SHOWN: LiteralString = "m.chat_id = %(chat_id)s AND NOT m.deleted AND m.visibility <> 'model'"

NEWEST: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_messages m
     WHERE {SHOWN} AND m.id > %(after)s AND m.id < %(before)s
     ORDER BY m.id DESC LIMIT %(limit)s
"""
OLDEST: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_messages m
     WHERE {SHOWN} AND m.id > %(after)s AND m.id < %(before)s
     ORDER BY m.id LIMIT %(limit)s
"""
BY_IDS: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_messages m
     WHERE m.chat_id = %(chat_id)s AND m.id = ANY(%(ids)s) AND NOT m.deleted ORDER BY m.id
"""
SINCE: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_messages m
     WHERE m.chat_id = %(chat_id)s AND m.id >= %(id)s AND NOT m.deleted ORDER BY m.id
"""
CUT: LiteralString = """
    UPDATE chat_messages SET deleted = true
     WHERE chat_id = %(chat_id)s AND id >= %(id)s AND NOT deleted
 RETURNING id
"""
LAST: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_messages m
     WHERE m.chat_id = %(chat_id)s AND NOT m.deleted AND m.role = 'assistant' AND NOT m.compressed
       AND m.content @? '$[*] ? (@.type == "text" && @.text != "")'
     ORDER BY m.id DESC LIMIT 1
"""
LAST_STEP: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_messages m
     WHERE m.chat_id = %(chat_id)s AND NOT m.deleted
       AND m.id >= (SELECT max(a.id) FROM chat_messages a
                     WHERE a.chat_id = %(chat_id)s AND NOT a.deleted AND a.role = 'assistant'
                       AND NOT a.compressed AND a.visibility <> 'user')
     ORDER BY m.id
"""
BOUNDLESS = 2**63 - 1


def batch_args(rows: Sequence[NewMessage]) -> dict[str, Any]:
    """Return the arrays of ``BATCH``."""
    usages = [row.usage or Usage() for row in rows]
    return {
        "created_by": [row.created_by or ZERO for row in rows],
        "model_config_id": [row.model_config_id or ZERO for row in rows],
        "created_at": [row.created_at for row in rows],
        "role": [row.role.value for row in rows],
        "content": [row.content for row in rows],
        "visibility": [row.visibility for row in rows],
        "compressed": [row.compressed for row in rows],
        "reasoning_effort": [row.reasoning_effort for row in rows],
        "input_tokens": [usage.input_tokens for usage in usages],
        "output_tokens": [usage.output_tokens for usage in usages],
        "total_tokens": [usage.total_tokens for usage in usages],
        "reasoning_tokens": [usage.reasoning_tokens for usage in usages],
        "cache_creation_tokens": [usage.cache_creation_tokens for usage in usages],
        "cache_read_tokens": [usage.cache_read_tokens for usage in usages],
        "context_limit": [usage.context_limit for usage in usages],
        "total_cost_micros": [row.cost_micros for row in rows],
        "price": [row.price for row in rows],
        "runtime_ms": [row.runtime_ms for row in rows],
        "response_id": [row.response_id for row in rows],
    }


async def append(tx: Tx, chat_id: UUID, rows: Sequence[NewMessage]) -> list[int]:
    """Add rows to the log of a locked chat, in their order; return their ids.

    One statement: it advances the chat's model and its versions, too.
    """
    return await tx.values(APPEND, {"chat_id": chat_id, "now": tx.now, **batch_args(rows)})


async def prompt_view(tx: Tx, chat_id: UUID) -> list[Message]:
    """Return what a model is sent, oldest first."""
    return await tx.all(Message, PROMPT, {"chat_id": chat_id})


async def page(tx: Tx, chat_id: UUID, wanted: MessagePage) -> tuple[list[Message], bool]:
    """Return a page of what people see, and whether there is more behind it."""
    sql = OLDEST if wanted.forward else NEWEST
    args = {
        "chat_id": chat_id,
        "after": wanted.after_id or 0,
        "before": wanted.before_id or BOUNDLESS,
        "limit": wanted.limit + 1,
    }
    found = await tx.all(Message, sql, args)
    return found[: wanted.limit], len(found) > wanted.limit


async def by_ids(tx: Tx, chat_id: UUID, ids: Sequence[int]) -> list[Message]:
    """Return rows of a chat by their ids, whoever may see them."""
    return await tx.all(Message, BY_IDS, {"chat_id": chat_id, "ids": list(ids)})


async def by_id(tx: Tx, chat_id: UUID, message_id: int) -> Message | None:
    """Return one row of a chat."""
    found = await by_ids(tx, chat_id, [message_id])
    return found[0] if found else None


async def since(tx: Tx, chat_id: UUID, message_id: int) -> list[Message]:
    """Return a row and all after it, whoever may see them."""
    return await tx.all(Message, SINCE, {"chat_id": chat_id, "id": message_id})


async def last_answer(tx: Tx, chat_id: UUID) -> Message | None:
    """Return the newest row in which the model says something in words."""
    return await tx.one(Message, LAST, {"chat_id": chat_id})


async def last_step(tx: Tx, chat_id: UUID) -> list[Message]:
    """Return the newest row that a model wrote, and all after it."""
    return await tx.all(Message, LAST_STEP, {"chat_id": chat_id})


async def cut(tx: Tx, chat_id: UUID, message_id: int) -> list[int]:
    """Take a row and all after it out of the log; what they cost stays counted."""
    gone = await tx.values(CUT, {"chat_id": chat_id, "id": message_id})
    return sorted(gone)
