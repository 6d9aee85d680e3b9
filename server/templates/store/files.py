"""Uploaded archives: stored once for each content and uploader."""

from typing import LiteralString
from uuid import UUID, uuid4

from server.kit.authz import Action, Kind, shared
from server.kit.db import Tx
from server.templates.model.templates import File

INSERT: LiteralString = """
    INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
    VALUES (%(id)s, %(hash)s, %(created_by)s, 'application/x-tar', %(data)s, %(now)s)
    ON CONFLICT (hash, created_by) DO NOTHING
    RETURNING id
"""

SAME: LiteralString = """
    SELECT id FROM files WHERE hash = %(hash)s AND created_by = %(created_by)s
"""

# Whoever may change a template may read what it was made from, whoever uploaded that.
GET: LiteralString = f"""
    SELECT f.id, f.created_by, f.mimetype
      FROM files f
     WHERE f.id = %(id)s
       AND (%(reach_all)s OR f.created_by = %(reach_own)s
            OR EXISTS (SELECT 1 FROM provisioner_jobs j
                        WHERE j.file_id = f.id
                          AND j.organization_id = ANY(%(template_organizations)s))
            OR EXISTS (SELECT 1 FROM provisioner_jobs j
                         JOIN template_versions v ON v.job_id = j.id
                         JOIN templates t ON t.id = v.template_id
                        WHERE j.file_id = f.id AND NOT t.deleted AND {shared("t")}))
"""

CONTENT: LiteralString = "SELECT data FROM files WHERE id = %(id)s"


async def save(tx: Tx, content_hash: str, data: bytes) -> tuple[UUID, bool]:
    """Store an archive; return its id, and whether it is new."""
    args = {
        "id": uuid4(),
        "hash": content_hash,
        "created_by": tx.actor.user_id,
        "data": data,
        "now": tx.now,
    }
    fresh: UUID | None = await tx.value(INSERT, args)
    if fresh is not None:
        return fresh, True
    return await tx.value(SAME, args), False


async def get(tx: Tx, file_id: UUID) -> File | None:
    """Return the file if the actor may read it."""
    changes = tx.actor.reach(Action.UPDATE, Kind.TEMPLATE)
    args = {
        "id": file_id,
        **tx.actor.reach(Action.READ, Kind.FILE).args(),
        "template_organizations": changes.organizations,
        **changes.shared_args(),
    }
    return await tx.one(File, GET, args)


async def content(tx: Tx, file_id: UUID) -> bytes | None:
    """Return an archive, whoever asks."""
    data = await tx.value(CONTENT, {"id": file_id})
    return None if data is None else bytes(data)
