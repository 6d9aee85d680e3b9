"""API keys in SQL: the one query of authentication, and what owners do with their keys."""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from server.identity.errors import Taken
from server.identity.model.keys import ApiKey, Credential, NewKey, Touch
from server.kit.authz import Action, Kind
from server.kit.crypto import new_api_key
from server.kit.db import Tx

CREDENTIAL: LiteralString = """
    SELECT k.id AS key_id, k.hashed_secret, k.scopes, k.lifetime_seconds, k.last_used, k.expires_at,
           u.id AS user_id, u.username, u.status, u.roles,
           coalesce((SELECT jsonb_object_agg(m.organization_id, m.roles)
                       FROM organization_members m
                       JOIN organizations o ON o.id = m.organization_id AND NOT o.deleted
                      WHERE m.user_id = u.id), '{}') AS memberships
      FROM api_keys k
      JOIN users u ON u.id = k.user_id AND NOT u.deleted
     WHERE k.id = %(id)s
"""

TOUCH: LiteralString = """
    WITH used AS (
        UPDATE api_keys
           SET last_used = %(now)s, expires_at = %(expires_at)s, ip_address = %(ip)s,
               updated_at = %(now)s
         WHERE id = %(id)s
     RETURNING user_id
    )
    UPDATE users u
       SET last_seen_at = %(now)s,
           status = CASE WHEN u.status = 'dormant' THEN 'active' ELSE u.status END
      FROM used
     WHERE u.id = used.user_id
"""

INSERT: LiteralString = """
    INSERT INTO api_keys (id, user_id, hashed_secret, login_type, token_name, scopes,
                          lifetime_seconds, ip_address, last_used, expires_at,
                          created_at, updated_at)
    VALUES (%(id)s, %(user_id)s, %(hashed)s, %(login_type)s, %(name)s, %(scopes)s,
            %(lifetime)s, %(ip)s, %(last_used)s, %(expires_at)s, %(now)s, %(now)s)
"""

COLUMNS: LiteralString = """
    k.id, k.user_id, u.username, k.last_used, k.expires_at, k.created_at, k.updated_at,
    k.login_type, k.scopes, k.allow_list, k.token_name, k.lifetime_seconds
"""

VISIBLE: LiteralString = f"""
    SELECT {COLUMNS}
      FROM api_keys k
      JOIN users u ON u.id = k.user_id AND NOT u.deleted
     WHERE (%(reach_all)s OR k.user_id = %(reach_own)s)
"""

TOKENS: LiteralString = f"""
    {VISIBLE}
       AND k.login_type = 'token'
       AND (%(user_id)s::uuid IS NULL OR k.user_id = %(user_id)s)
       AND (%(include_expired)s OR k.expires_at > %(now)s)
     ORDER BY k.created_at, k.id
"""

BY_ID: LiteralString = f"{VISIBLE} AND k.user_id = %(user_id)s AND k.id = %(id)s"

BY_NAME: LiteralString = f"""
    {VISIBLE} AND k.user_id = %(user_id)s AND k.login_type = 'token' AND k.token_name = %(name)s
"""

DELETE: LiteralString = "DELETE FROM api_keys WHERE id = %(id)s"

DELETE_NAMED: LiteralString = """
    DELETE FROM api_keys
     WHERE user_id = %(user_id)s AND token_name = %(name)s AND login_type <> 'token'
"""

DELETE_OTHERS: LiteralString = """
    DELETE FROM api_keys WHERE user_id = %(user_id)s AND id <> %(but)s
"""

EXPIRE: LiteralString = """
    UPDATE api_keys SET expires_at = least(expires_at, %(now)s), updated_at = %(now)s
     WHERE id = %(id)s
"""


async def credential(tx: Tx, key_id: str) -> Credential | None:
    """Return the key with its user and their roles: all of authentication in one query."""
    return await tx.one(Credential, CREDENTIAL, {"id": key_id})


async def touch(tx: Tx, key_id: str, touched: Touch, ip: str) -> None:
    """Write that a key was used; a dormant user wakes up."""
    args = {"id": key_id, "expires_at": touched.expires_at, "ip": ip, "now": tx.now}
    await tx.run(TOUCH, args)


async def insert(tx: Tx, new: NewKey) -> str:
    """Store a new key and return its token, ``<id>-<secret>``: nobody can read it again.

    Raises:
        Taken: the user has a token of this name.
    """
    key_id, secret, hashed = new_api_key()
    args = {
        "id": key_id,
        "user_id": new.user_id,
        "hashed": hashed,
        "login_type": new.login_type,
        "name": new.name,
        "scopes": list(new.scopes),
        "lifetime": int(new.lifetime.total_seconds()),
        "ip": new.ip_address,
        "last_used": tx.now,
        "expires_at": tx.now + new.lifetime,
        "now": tx.now,
    }
    try:
        async with tx.savepoint():
            await tx.run(INSERT, args)
    except UniqueViolation as error:
        raise Taken(f"A token with name {new.name!r} already exists.", "token_name") from error
    return f"{key_id}-{secret}"


@dataclass(frozen=True, slots=True)
class TokenFilter:
    """Which tokens are asked for; ``user_id`` None is everybody's that the actor reaches."""

    user_id: UUID | None
    include_expired: bool = False


async def tokens(tx: Tx, wanted: TokenFilter) -> list[ApiKey]:
    """Return the tokens that the actor may see."""
    args = {
        **_reach(tx),
        "user_id": wanted.user_id,
        "include_expired": wanted.include_expired,
        "now": tx.now,
    }
    return await tx.all(ApiKey, TOKENS, args)


async def by_id(tx: Tx, user_id: UUID, key_id: str) -> ApiKey | None:
    """Return a user's key if the actor may see it."""
    return await tx.one(ApiKey, BY_ID, {**_reach(tx), "user_id": user_id, "id": key_id})


async def by_name(tx: Tx, user_id: UUID, name: str) -> ApiKey | None:
    """Return a user's token by its name if the actor may see it."""
    return await tx.one(ApiKey, BY_NAME, {**_reach(tx), "user_id": user_id, "name": name})


async def delete(tx: Tx, key_id: str) -> None:
    """Forget a key."""
    await tx.run(DELETE, {"id": key_id})


async def delete_named(tx: Tx, user_id: UUID, name: str) -> None:
    """Forget the session of this name; tokens that people made stay."""
    await tx.run(DELETE_NAMED, {"user_id": user_id, "name": name})


async def delete_others(tx: Tx, user_id: UUID, but: str) -> None:
    """Forget every key of a user, apart from the one with the id ``but``."""
    await tx.run(DELETE_OTHERS, {"user_id": user_id, "but": but})


async def expire(tx: Tx, key_id: str) -> None:
    """End a key now, and keep its record."""
    await tx.run(EXPIRE, {"id": key_id, "now": tx.now})


def _reach(tx: Tx) -> dict[str, Any]:
    return tx.actor.reach(Action.READ, Kind.API_KEY).args()
