"""Lists of access of templates: who may use one, and who may change it."""

from typing import LiteralString
from uuid import UUID

from server.kit.authz import Shares
from server.kit.db import Tx, jsonb

SAVE: LiteralString = """
    UPDATE templates
       SET user_acl = %(user_acl)s, group_acl = %(group_acl)s, updated_at = %(now)s
     WHERE id = %(id)s
"""


async def save(tx: Tx, template_id: UUID, users: Shares, groups: Shares) -> None:
    """Write a template's list of access."""
    args = {
        "id": template_id,
        "user_acl": jsonb(dict(users)),
        "group_acl": jsonb(dict(groups)),
        "now": tx.now,
    }
    await tx.run(SAVE, args)
