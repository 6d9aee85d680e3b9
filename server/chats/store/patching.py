"""What people change about a chat besides talking to it: name, labels, place among the pinned."""

from dataclasses import replace
from typing import Any, LiteralString
from uuid import UUID

from server.chats.model import Chat
from server.chats.model.shown import Prompt
from server.chats.store.chats import Versions
from server.kit.db import Tx, jsonb

CHANGE: LiteralString = """
    UPDATE chats
       SET title = coalesce(%(title)s, title),
           title_source = CASE WHEN %(title)s::text IS NULL THEN title_source ELSE 'user' END,
           labels = coalesce(%(labels)s::jsonb, labels),
           plan_mode = coalesce(%(plan_mode)s, plan_mode),
           snapshot_version = snapshot_version + 1, updated_at = %(now)s
     WHERE id = %(id)s
    RETURNING snapshot_version, history_version, queue_version
"""

# A title that somebody gave meanwhile, or another that came first, is not written over.
RETITLE: LiteralString = """
    UPDATE chats
       SET title = %(title)s, title_source = 'generated', snapshot_version = snapshot_version + 1
     WHERE id = %(id)s AND title = %(before)s AND title_source = %(source)s
    RETURNING snapshot_version, history_version, queue_version
"""

# One at a time for each owner. Taken before any chat is locked, so that two of them who change
# each other's places never wait for one another.
PINNING: LiteralString = "SELECT id FROM users WHERE id = %(owner)s FOR NO KEY UPDATE"

PLACE: LiteralString = """
    WITH others AS (
        SELECT id, row_number() OVER (ORDER BY pin_order, id) AS place
          FROM chats
         WHERE owner_id = %(owner)s AND pin_order > 0 AND NOT archived AND id <> %(id)s
    ), wanted AS (
        SELECT least(coalesce(%(place)s::bigint, count(*) + 1), count(*) + 1) AS place FROM others
    ), places AS (
        SELECT o.id, o.place + (o.place >= w.place)::int AS place FROM others o CROSS JOIN wanted w
        UNION ALL
        SELECT %(id)s, place FROM wanted
    )
    UPDATE chats c
       SET pin_order = p.place, snapshot_version = c.snapshot_version + 1
      FROM places p
     WHERE c.id = p.id AND c.pin_order <> p.place
"""

UNPIN: LiteralString = """
    UPDATE chats SET pin_order = 0, snapshot_version = snapshot_version + 1 WHERE id = %(id)s
"""

READ: LiteralString = """
    UPDATE chats c
       SET last_read_message_id = l.id
      FROM (SELECT coalesce(max(m.id), 0) AS id FROM chat_messages m
             WHERE m.chat_id = %(id)s AND NOT m.deleted) l
     WHERE c.id = %(id)s AND c.last_read_message_id < l.id
"""

# Words of people themselves, the newest first; what they edited away they may want again.
PROMPTS: LiteralString = """
    SELECT m.id, p.text, m.created_at
      FROM chat_messages m
     CROSS JOIN LATERAL (
           SELECT string_agg(part ->> 'text', E'\\n' ORDER BY place) AS text
             FROM jsonb_array_elements(m.content) WITH ORDINALITY AS parts (part, place)
            WHERE part ->> 'type' = 'text') p
     WHERE m.chat_id = %(id)s AND m.role = 'user' AND m.visibility <> 'model'
       AND m.created_by = %(me)s AND NOT m.deleted AND btrim(p.text) <> ''
     ORDER BY m.id DESC
     LIMIT %(limit)s
"""


async def change(
    tx: Tx,
    chat: Chat,
    *,
    title: str | None = None,
    labels: dict[str, str] | None = None,
    plan_mode: str | None = None,
) -> Chat:
    """Write what is not None to a locked chat; return it as it is then."""
    args: dict[str, Any] = {
        "id": chat.id,
        "title": title,
        "labels": None if labels is None else jsonb(labels),
        "plan_mode": plan_mode,
        "now": tx.now,
    }
    versions = await tx.one(Versions, CHANGE, args)
    changed = replace(
        chat,
        title=chat.title if title is None else title,
        title_source=chat.title_source if title is None else "user",
        labels=chat.labels if labels is None else labels,
        plan_mode=chat.plan_mode if plan_mode is None else plan_mode,
        updated_at=tx.now,
    )
    return _with(changed, versions)


async def retitle(tx: Tx, chat: Chat, title: str) -> Chat | None:
    """Write a title that a model gave if the chat still has its former one; None if it has not."""
    args = {"id": chat.id, "title": title, "before": chat.title, "source": chat.title_source}
    versions = await tx.one(Versions, RETITLE, args)
    if versions is None:
        return None
    return _with(replace(chat, title=title, title_source="generated"), versions)


async def begin_pinning(tx: Tx, owner_id: UUID) -> None:
    """Keep others from changing the owner's pins until the commit; call before locking a chat."""
    await tx.value(PINNING, {"owner": owner_id})


async def place(tx: Tx, chat: Chat, at: int | None) -> None:
    """Put a chat among the pinned ones, at the end without ``at``; number them without gaps."""
    await tx.run(PLACE, {"owner": chat.owner_id, "id": chat.id, "place": at})


async def unpin(tx: Tx, chat: Chat) -> None:
    """Take a chat from among the pinned ones; the gap is left."""
    await tx.run(UNPIN, {"id": chat.id})


async def read(tx: Tx, chat_id: UUID) -> bool:
    """Remember that everything up to the newest message was seen; False when it was before."""
    return bool(await tx.run(READ, {"id": chat_id}))


async def prompts(tx: Tx, chat_id: UUID, limit: int) -> list[Prompt]:
    """Return what the actor said in a chat, newest first."""
    return await tx.all(Prompt, PROMPTS, {"id": chat_id, "me": tx.actor.id, "limit": limit})


def _with(chat: Chat, versions: Versions | None) -> Chat:
    if versions is None:  # The row is locked: it cannot be gone.
        raise LookupError(chat.id)
    return replace(
        chat,
        snapshot_version=versions.snapshot_version,
        history_version=versions.history_version,
        queue_version=versions.queue_version,
    )
