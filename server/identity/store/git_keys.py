"""SSH key pairs for git in SQL."""

from typing import LiteralString
from uuid import UUID

from server.identity.model.people import GitKey
from server.kit.db import Tx

GET: LiteralString = """
    SELECT user_id, private_key, public_key, created_at, updated_at
      FROM git_ssh_keys WHERE user_id = %(user_id)s
"""

PUT: LiteralString = """
    INSERT INTO git_ssh_keys (user_id, private_key, public_key, created_at, updated_at)
    VALUES (%(user_id)s, %(private_key)s, %(public_key)s, %(now)s, %(now)s)
    ON CONFLICT (user_id) DO UPDATE
       SET private_key = excluded.private_key, public_key = excluded.public_key,
           updated_at = excluded.updated_at
"""


async def get(tx: Tx, user_id: UUID) -> GitKey | None:
    """Return a user's key pair, whoever asks."""
    return await tx.one(GitKey, GET, {"user_id": user_id})


async def put(tx: Tx, user_id: UUID, private_key: str, public_key: str) -> None:
    """Store a user's key pair, in place of the one they had."""
    args = {
        "user_id": user_id,
        "private_key": private_key,
        "public_key": public_key,
        "now": tx.now,
    }
    await tx.run(PUT, args)
