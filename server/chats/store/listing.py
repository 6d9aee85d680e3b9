"""A page of chats out of ten thousand: one statement, put together from what is asked for.

Restrictions that nobody asked for are left out instead of being written as ``NULL OR``: then each
combination gets a plan of its own. Who may read what is part of the statement, so that a page is
full whenever there is more. Pinned chats come first, then those that changed last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, LiteralString
from uuid import UUID

from server.chats.model import Chat
from server.chats.model.search import Part, Search
from server.chats.store.chats import COLUMNS, REACHED
from server.kit.authz import Action, Kind
from server.kit.db import Tx, jsonb

RANK: LiteralString = "(CASE WHEN c.pin_order > 0 THEN -c.pin_order ELSE -2147483647 END)"
"""The index of the list has this expression, to the letter."""

FIRST: LiteralString = f"""
    page AS (
        SELECT c.id, {RANK} AS rank, c.updated_at
          FROM chats c LEFT JOIN chat_diff_statuses d ON d.chat_id = c.id
         WHERE c.parent_chat_id IS NULL AND c.archived = %(archived)s AND {REACHED} AND
"""

LAST: LiteralString = f"""
         ORDER BY {RANK} DESC, c.updated_at DESC, c.id DESC
         LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {COLUMNS}
      FROM page p JOIN chats c ON c.id = p.id JOIN users u ON u.id = c.owner_id
     ORDER BY p.rank DESC, p.updated_at DESC, p.id DESC
"""

RESTRICTIONS: Mapping[str, LiteralString] = MappingProxyType(
    {
        "mine": "c.owner_id = %(me)s",
        "shared": "c.owner_id <> %(me)s",
        "cursor_id": f"""
            ({RANK}, c.updated_at, c.id)
                < (%(cursor_rank)s::int, %(cursor_at)s::timestamptz, %(cursor_id)s::uuid)
        """,
        "title": "strpos(lower(c.title), %(title)s) > 0",
        "has_unread": """
            EXISTS (SELECT 1 FROM chat_messages m
                     WHERE m.chat_id = c.id AND m.id > c.last_read_message_id
                       AND m.role = 'assistant' AND m.visibility <> 'model' AND NOT m.deleted)
            = %(has_unread)s
        """,
        "statuses": """
            (c.status = ANY(%(statuses)s)
             OR (%(pending)s AND c.status = 'running' AND c.runner_id IS NULL))
        """,
        "pull_statuses": """
            CASE WHEN d.pull_request_state IS NULL THEN 'none'
                 WHEN d.pull_request_state = 'open' AND d.pull_request_draft THEN 'draft'
                 ELSE d.pull_request_state END = ANY(%(pull_statuses)s)
        """,
        "diff_url": "rtrim(lower(d.url), '/') = %(diff_url)s",
        "pr_number": "d.pr_number = %(pr_number)s",
        "repo": """
            (strpos(lower(d.git_remote_origin), %(repo)s) > 0
             OR strpos(lower(d.url), %(repo)s) > 0)
        """,
        "pr_title": "strpos(lower(d.pull_request_title), %(pr_title)s) > 0",
        "labels": "c.labels @> ALL(%(labels)s::jsonb[])",
    }
)
"""Restrictions by the argument that asks for them."""

CURSOR: LiteralString = f"""
    SELECT {RANK} AS rank, c.updated_at, c.id FROM chats c WHERE c.id = %(id)s AND {REACHED}
"""

CHILDREN: LiteralString = f"""
    SELECT {COLUMNS} FROM chats c JOIN users u ON u.id = c.owner_id
     WHERE c.parent_chat_id = ANY(%(parents)s)
     ORDER BY c.created_at DESC, c.id DESC
"""

LATEST: LiteralString = f"""
    SELECT DISTINCT ON (c.workspace_id) {COLUMNS}
      FROM chats c JOIN users u ON u.id = c.owner_id
     WHERE c.workspace_id = ANY(%(workspaces)s) AND c.parent_chat_id IS NULL AND NOT c.archived
       AND {REACHED}
     ORDER BY c.workspace_id, c.updated_at DESC, c.id DESC
"""


@dataclass(frozen=True, slots=True)
class _Cursor:
    rank: int
    updated_at: datetime
    id: UUID


async def page(tx: Tx, search: Search, part: Part) -> Sequence[Chat]:
    """Return one page of the roots that match and that the actor may see."""
    wanted = _wanted(search)
    args = {
        **wanted,
        **tx.actor.reach(Action.READ, Kind.CHAT).args(),
        "me": tx.actor.id,
        "archived": search.archived,
        "pending": "pending" in search.statuses,
        "limit": part.limit,
        "offset": part.offset,
        "cursor_id": None,
    }
    if part.after_id is not None:
        cursor = await tx.one(_Cursor, CURSOR, {**args, "id": part.after_id})
        if cursor is None:
            return []
        args |= {
            "cursor_id": cursor.id,
            "cursor_rank": cursor.rank,
            "cursor_at": cursor.updated_at,
        }
    return await tx.all(Chat, statement(args), args)


def statement(wanted: Mapping[str, Any]) -> LiteralString:
    """Return the statement with a restriction for each argument that is not None."""
    restrictions: list[LiteralString] = [
        sql for name, sql in RESTRICTIONS.items() if wanted[name] is not None
    ]
    return "WITH" + FIRST + " AND ".join(restrictions) + LAST


EVERY_RESTRICTION: LiteralString = statement(dict.fromkeys(RESTRICTIONS, True))
"""The longest statement; what is in it is checked against the schema by a test."""


async def children(tx: Tx, parents: Sequence[UUID]) -> list[Chat]:
    """Return the chats that these made, newest first; whoever sees a root sees them."""
    return await tx.all(Chat, CHILDREN, {"parents": list(parents)}) if parents else []


async def latest(tx: Tx, workspaces: Sequence[UUID]) -> dict[UUID, Chat]:
    """Return the chat of each workspace that changed last, of those that the actor may see."""
    args = {"workspaces": list(workspaces), **tx.actor.reach(Action.READ, Kind.CHAT).args()}
    found = await tx.all(Chat, LATEST, args)
    return {chat.workspace_id: chat for chat in found if chat.workspace_id is not None}


def _wanted(search: Search) -> dict[str, Any]:
    return {
        "mine": None if search.shared else True,
        "shared": True if search.shared else None,
        "title": search.title or None,
        "has_unread": search.has_unread,
        "statuses": list(search.statuses) or None,
        "pull_statuses": list(search.pull_statuses) or None,
        "diff_url": search.diff_url or None,
        "pr_number": search.pr_number,
        "repo": search.repo or None,
        "pr_title": search.pr_title or None,
        "labels": [jsonb({key: value}) for key, value in search.labels] or None,
    }
