"""Files of chats: their bytes, and which chats use them."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID, uuid4

from server.chats.model.files import FileContent, StoredFile, Upload
from server.chats.model.rules import USUAL
from server.kit.authz import Action, Kind
from server.kit.db import Tx

COLUMNS: LiteralString = (
    "f.id, f.owner_id, f.organization_id, f.name, f.mimetype, f.size_bytes, f.created_at"
)

INSERT: LiteralString = """
    INSERT INTO chat_files (id, owner_id, organization_id, name, mimetype, data, size_bytes,
                            created_at)
    VALUES (%(id)s, %(owner)s, %(organization)s, %(name)s, %(mimetype)s, %(data)s, %(size)s,
            %(now)s)
"""

KNOWN: LiteralString = f"""
    SELECT {COLUMNS} FROM chat_files f
     WHERE f.id = ANY(%(ids)s) AND f.owner_id = %(owner)s
"""

# Sums are over sizes alone: the bytes of what is left out are never read.
CONTENTS: LiteralString = """
    SELECT f.id, f.name, f.mimetype, f.data
      FROM (SELECT f.id, sum(f.size_bytes) OVER (ORDER BY w.place) AS total
              FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY w (id, place)
              JOIN chat_files f ON f.id = w.id) fitting
      JOIN chat_files f ON f.id = fitting.id
     WHERE fitting.total <= %(most)s
"""
MOST_AT_ONCE = 32 * 2**20
"""Bytes that one prompt has of files: no provider takes more, and many turns run at once."""

# A file is read by its owner, and by whoever may read a chat that uses it.
READABLE: LiteralString = """
    SELECT f.id, f.name, f.mimetype, f.data
      FROM chat_files f
     WHERE f.id = %(id)s
       AND ((f.owner_id = %(me)s
             AND (%(reach_all)s OR f.organization_id = ANY(%(reach_own_organizations)s)))
            OR EXISTS (SELECT 1 FROM chat_file_links l
                         JOIN chats c ON c.id = l.chat_id
                        WHERE l.file_id = f.id
                          AND (%(reach_all)s OR c.organization_id = ANY(%(reach_organizations)s)
                               OR (c.owner_id = %(reach_own)s
                                   AND c.organization_id = ANY(%(reach_own_organizations)s)))))
"""

# The caller holds the chat's row, so that two batches do not both see the same room for them.
LINK: LiteralString = """
    WITH already AS (
        SELECT file_id FROM chat_file_links WHERE chat_id = %(chat)s
    ), wanted AS (
        SELECT f.id FROM chat_files f
         WHERE f.id = ANY(%(ids)s) AND f.owner_id = %(owner)s
           AND f.id NOT IN (SELECT file_id FROM already)
    )
    INSERT INTO chat_file_links (chat_id, file_id)
    SELECT %(chat)s, id FROM wanted
     WHERE (SELECT count(*) FROM already) + (SELECT count(*) FROM wanted) <= %(most)s
    ON CONFLICT DO NOTHING
"""

LINKED: LiteralString = "SELECT file_id FROM chat_file_links WHERE chat_id = %(chat)s"

OF_CHAT: LiteralString = f"""
    SELECT {COLUMNS}
      FROM chat_file_links l JOIN chat_files f ON f.id = l.file_id
     WHERE l.chat_id = %(chat)s
     ORDER BY f.created_at, f.id
"""

# What nobody links may still be waiting for its message, hence the age.
PURGE: LiteralString = """
    DELETE FROM chat_files
     WHERE id IN (SELECT f.id FROM chat_files f
                   WHERE f.created_at < %(before)s
                     AND NOT EXISTS (SELECT 1 FROM chat_file_links l WHERE l.file_id = f.id)
                   LIMIT %(most)s
                     FOR UPDATE SKIP LOCKED)
"""


async def insert(tx: Tx, owner_id: UUID, organization_id: UUID, upload: Upload) -> UUID:
    """Store a checked file and return its id."""
    file_id = uuid4()
    args = {
        "id": file_id,
        "owner": owner_id,
        "organization": organization_id,
        "name": upload.name,
        "mimetype": upload.mimetype,
        "data": upload.data,
        "size": len(upload.data),
        "now": tx.now,
    }
    await tx.run(INSERT, args)
    return file_id


async def known(tx: Tx, ids: Sequence[UUID], owner_id: UUID) -> dict[UUID, StoredFile]:
    """Return those of the files that exist and are this owner's."""
    if not ids:
        return {}
    found = await tx.all(StoredFile, KNOWN, {"ids": list(ids), "owner": owner_id})
    return {file.id: file for file in found}


async def load(tx: Tx, ids: Sequence[UUID], most: int = MOST_AT_ONCE) -> dict[UUID, FileContent]:
    """Return files with their bytes, whoever asks: a prompt has what its chat links.

    In the order of ``ids``, as long as they have no more than ``most`` bytes together.
    """
    if not ids:
        return {}
    found = await tx.all(FileContent, CONTENTS, {"ids": list(ids), "most": most})
    return {file.id: file for file in found}


async def readable(tx: Tx, file_id: UUID) -> FileContent | None:
    """Return a file if the actor may read it."""
    reach = tx.actor.reach(Action.READ, Kind.CHAT)
    args = {"id": file_id, "me": tx.actor.id, **reach.args()}
    return await tx.one(FileContent, READABLE, args)


async def link(
    tx: Tx, chat_id: UUID, owner_id: UUID, ids: Sequence[UUID], most: int = USUAL.most_files
) -> list[UUID]:
    """Have a locked chat use these files of its owner, all or none; return those it does not use.

    None are linked when the chat would have more than ``most``.
    """
    if not ids:
        return []
    args = {"chat": chat_id, "owner": owner_id, "ids": list(ids), "most": most}
    await tx.run(LINK, args)
    linked = set(await tx.values(LINKED, {"chat": chat_id}))
    return [file_id for file_id in dict.fromkeys(ids) if file_id not in linked]


async def of_chat(tx: Tx, chat_id: UUID) -> list[StoredFile]:
    """Return the files that a chat uses, oldest first."""
    return await tx.all(StoredFile, OF_CHAT, {"chat": chat_id})


async def purge(tx: Tx, before: datetime, most: int) -> int:
    """Delete files older than ``before`` that no chat uses; return how many."""
    return await tx.run(PURGE, {"before": before, "most": most})
