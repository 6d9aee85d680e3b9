"""What chats cost, in SQL: sums over messages, deleted ones included, as they were priced then."""

from typing import LiteralString
from uuid import UUID

from server.chats.model.costs import OfChat, OfModel, OfRoot, OfUser, Span, Sums
from server.kit.db import Tx

_SUMS: LiteralString = """
    coalesce(sum(m.total_cost_micros), 0)::bigint AS total_cost_micros,
    count(m.id) AS message_count,
    count(m.total_cost_micros) AS priced_message_count,
    count(m.id) - count(m.total_cost_micros) AS unpriced_message_count,
    coalesce(sum(m.input_tokens), 0)::bigint AS total_input_tokens,
    coalesce(sum(m.output_tokens), 0)::bigint AS total_output_tokens,
    coalesce(sum(m.reasoning_tokens), 0)::bigint AS total_reasoning_tokens,
    coalesce(sum(m.cache_read_tokens), 0)::bigint AS total_cache_read_tokens,
    coalesce(sum(m.cache_creation_tokens), 0)::bigint AS total_cache_creation_tokens,
    coalesce(sum(m.runtime_ms), 0)::bigint AS total_runtime_ms
"""
# A call of a model leaves its usage on one row, and that may have no price.
_CALLS: LiteralString = """
    (m.total_cost_micros IS NOT NULL OR m.input_tokens IS NOT NULL OR m.output_tokens IS NOT NULL
     OR m.cache_read_tokens IS NOT NULL)
"""
_SPAN: LiteralString = f"""
      FROM chats c
      JOIN chat_messages m ON m.chat_id = c.id AND {_CALLS}
                          AND m.created_at >= %(start)s AND m.created_at < %(end)s
"""

TOTALS: LiteralString = f"SELECT {_SUMS} {_SPAN} WHERE c.owner_id = %(owner_id)s"
BY_MODEL: LiteralString = f"""
    SELECT g.id AS model_config_id, coalesce(nullif(g.display_name, ''), g.model) AS display_name,
           g.provider, g.model, {_SUMS}
      {_SPAN}
      JOIN chat_model_configs g ON g.id = m.model_config_id
     WHERE c.owner_id = %(owner_id)s
     GROUP BY g.id
     ORDER BY total_cost_micros DESC, message_count DESC, g.id
     LIMIT 1000
"""
BY_CHAT: LiteralString = f"""
    SELECT r.id AS root_chat_id, r.title AS chat_title, {_SUMS}
      {_SPAN}
      JOIN chats r ON r.id = coalesce(c.root_chat_id, c.id)
     WHERE c.owner_id = %(owner_id)s
     GROUP BY r.id
     ORDER BY total_cost_micros DESC, message_count DESC, r.id
     LIMIT 1000
"""
_FAMILY: LiteralString = f"""
      FROM chats c
      LEFT JOIN chat_messages m ON m.chat_id = c.id AND {_CALLS}
     WHERE c.id = %(chat_id)s OR c.root_chat_id = %(chat_id)s
"""
TREE: LiteralString = f"""
    SELECT c.id AS chat_id, c.parent_chat_id, c.title, {_SUMS}
      {_FAMILY}
     GROUP BY c.id
     ORDER BY c.parent_chat_id IS NOT NULL, c.created_at, c.id
"""
TREE_BY_MODEL: LiteralString = f"""
    SELECT g.id AS model_config_id, coalesce(nullif(g.display_name, ''), g.model) AS display_name,
           g.provider, g.model, {_SUMS}
      FROM chats c
      JOIN chat_messages m ON m.chat_id = c.id AND {_CALLS}
      JOIN chat_model_configs g ON g.id = m.model_config_id
     WHERE c.id = %(chat_id)s OR c.root_chat_id = %(chat_id)s
     GROUP BY g.id
     ORDER BY total_cost_micros DESC, message_count DESC, g.id
"""
USERS: LiteralString = f"""
    WITH per_user AS (
        SELECT c.owner_id, count(DISTINCT coalesce(c.root_chat_id, c.id)) AS chat_count, {_SUMS}
          {_SPAN}
         GROUP BY c.owner_id)
    SELECT u.id AS user_id, u.username, u.name, u.avatar_url, count(*) OVER () AS matching,
           p.chat_count, p.total_cost_micros, p.message_count, p.priced_message_count,
           p.unpriced_message_count, p.total_input_tokens, p.total_output_tokens,
           p.total_reasoning_tokens, p.total_cache_read_tokens, p.total_cache_creation_tokens,
           p.total_runtime_ms
      FROM per_user p
      JOIN users u ON u.id = p.owner_id
     WHERE %(username)s = '' OR strpos(lower(u.username), lower(%(username)s)) > 0
     ORDER BY p.total_cost_micros DESC, lower(u.username)
     LIMIT %(limit)s OFFSET %(offset)s
"""


async def totals(tx: Tx, owner_id: UUID, span: Span) -> Sums:
    """Return what a user's chats came to."""
    found = await tx.one(Sums, TOTALS, _of(owner_id, span))
    return found or Sums(*[0] * 10)


async def by_model(tx: Tx, owner_id: UUID, span: Span) -> list[OfModel]:
    """Return a user's calls by model, the dearest first."""
    return await tx.all(OfModel, BY_MODEL, _of(owner_id, span))


async def by_chat(tx: Tx, owner_id: UUID, span: Span) -> list[OfRoot]:
    """Return a user's calls by root chat, the dearest first."""
    return await tx.all(OfRoot, BY_CHAT, _of(owner_id, span))


async def tree(tx: Tx, chat_id: UUID) -> list[OfChat]:
    """Return a chat and its sub-agents, each with what it came to; the chat itself first."""
    return await tx.all(OfChat, TREE, {"chat_id": chat_id})


async def tree_by_model(tx: Tx, chat_id: UUID) -> list[OfModel]:
    """Return the calls of a chat and its sub-agents by model."""
    return await tx.all(OfModel, TREE_BY_MODEL, {"chat_id": chat_id})


async def users(tx: Tx, span: Span, username: str, limit: int | None, offset: int) -> list[OfUser]:
    """Return users with calls, the dearest first."""
    args = {
        "start": span.start,
        "end": span.end,
        "username": username,
        "limit": limit,
        "offset": offset,
    }
    return await tx.all(OfUser, USERS, args)


def _of(owner_id: UUID, span: Span) -> dict[str, object]:
    return {"owner_id": owner_id, "start": span.start, "end": span.end}
