"""Provisioner keys in SQL. Only hashes are kept."""

from collections.abc import Mapping
from typing import LiteralString
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation

from server.kit.authz import Action, Kind
from server.kit.db import Tx, jsonb
from server.provisioning.errors import KeyNameTaken
from server.provisioning.model import ProvisionerKey

COLUMNS: LiteralString = "k.id, k.organization_id, k.name, k.tags, k.created_at"

INSERT: LiteralString = """
    INSERT INTO provisioner_keys (id, organization_id, name, hashed_secret, tags, created_at)
    VALUES (%(id)s, %(organization_id)s, %(name)s, %(hashed_secret)s, %(tags)s, %(now)s)
"""

LIST: LiteralString = f"""
    SELECT {COLUMNS} FROM provisioner_keys k
     WHERE k.organization_id = %(organization_id)s
       AND (%(reach_all)s OR k.organization_id = ANY(%(reach_organizations)s))
     ORDER BY lower(k.name)
"""

BY_NAME: LiteralString = f"""
    SELECT {COLUMNS} FROM provisioner_keys k
     WHERE k.organization_id = %(organization_id)s AND lower(k.name) = lower(%(name)s)
       FOR UPDATE
"""

BY_SECRET: LiteralString = f"""
    SELECT {COLUMNS} FROM provisioner_keys k
      JOIN organizations o ON o.id = k.organization_id AND NOT o.deleted
     WHERE k.hashed_secret = %(hashed_secret)s
"""

DELETE: LiteralString = "DELETE FROM provisioner_keys WHERE id = %(id)s"
FORGET_DAEMONS: LiteralString = "DELETE FROM provisioner_daemons WHERE key_id = %(id)s"


async def insert(
    tx: Tx, organization_id: UUID, name: str, hashed_secret: bytes, tags: Mapping[str, str]
) -> None:
    """Keep a key.

    Raises:
        KeyNameTaken: the organization has one of that name.
    """
    args = {
        "id": uuid4(),
        "organization_id": organization_id,
        "name": name,
        "hashed_secret": hashed_secret,
        "tags": jsonb(dict(tags)),
        "now": tx.now,
    }
    try:
        async with tx.savepoint():
            await tx.run(INSERT, args)
    except UniqueViolation:
        raise KeyNameTaken(name) from None


async def search(tx: Tx, organization_id: UUID) -> list[ProvisionerKey]:
    """Return an organization's keys that the actor may see."""
    reach = tx.actor.reach(Action.READ, Kind.PROVISIONER_DAEMON).args()
    return await tx.all(ProvisionerKey, LIST, {"organization_id": organization_id, **reach})


async def named(tx: Tx, organization_id: UUID, name: str) -> ProvisionerKey | None:
    """Return a key of an organization, locked."""
    return await tx.one(ProvisionerKey, BY_NAME, {"organization_id": organization_id, "name": name})


async def of_secret(tx: Tx, hashed_secret: bytes) -> ProvisionerKey | None:
    """Return the key that has this secret."""
    return await tx.one(ProvisionerKey, BY_SECRET, {"hashed_secret": hashed_secret})


async def delete(tx: Tx, key_id: UUID) -> None:
    """Delete a key and the rows of its daemons."""
    await tx.run(FORGET_DAEMONS, {"id": key_id})
    await tx.run(DELETE, {"id": key_id})
