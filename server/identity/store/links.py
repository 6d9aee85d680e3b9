"""Linked accounts in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from server.identity.model.linking import Link
from server.kit.db import Tx, jsonb
from server.kit.sealing import SealedValue

_COLUMNS: LiteralString = """
    provider_id, user_id, access_token, refresh_token, expires_at, extra, refresh_failure,
    created_at, updated_at
"""
GET: LiteralString = f"""
    SELECT {_COLUMNS} FROM external_auth_links
     WHERE provider_id = %(provider_id)s AND user_id = %(user_id)s
"""
OF_USER: LiteralString = f"""
    SELECT {_COLUMNS} FROM external_auth_links WHERE user_id = %(user_id)s ORDER BY provider_id
"""
PUT: LiteralString = """
    INSERT INTO external_auth_links
           (provider_id, user_id, access_token, refresh_token, expires_at, extra, created_at,
            updated_at)
    VALUES (%(provider_id)s, %(user_id)s, %(access_token)s, %(refresh_token)s, %(expires_at)s,
            %(extra)s, %(now)s, %(now)s)
    ON CONFLICT (provider_id, user_id) DO UPDATE
       SET access_token = excluded.access_token, refresh_token = excluded.refresh_token,
           expires_at = excluded.expires_at, extra = excluded.extra, refresh_failure = '',
           refreshing_until = NULL, updated_at = excluded.updated_at
"""
DELETE: LiteralString = """
    DELETE FROM external_auth_links WHERE provider_id = %(provider_id)s AND user_id = %(user_id)s
"""
CLAIM: LiteralString = """
    UPDATE external_auth_links SET refreshing_until = %(until)s
     WHERE provider_id = %(provider_id)s AND user_id = %(user_id)s
       AND (refreshing_until IS NULL OR refreshing_until < %(now)s)
       AND updated_at = %(seen)s
"""
RENEW: LiteralString = """
    UPDATE external_auth_links
       SET access_token = %(access_token)s, expires_at = %(expires_at)s, refreshing_until = NULL,
           refresh_token = coalesce(%(refresh_token)s::bytea, refresh_token),
           updated_at = %(now)s
     WHERE provider_id = %(provider_id)s AND user_id = %(user_id)s AND updated_at = %(seen)s
"""
FAILED: LiteralString = """
    UPDATE external_auth_links
       SET refresh_failure = %(failure)s, refreshing_until = NULL,
           refresh_token = CASE WHEN %(lost)s THEN NULL ELSE refresh_token END,
           updated_at = %(now)s
     WHERE provider_id = %(provider_id)s AND user_id = %(user_id)s AND updated_at = %(seen)s
"""
SEALED: LiteralString = """
    SELECT 'external_auth_links/' || provider_id || '/' || user_id AS place,
           access_token AS blob, 'access' AS column
      FROM external_auth_links
     UNION ALL
    SELECT 'external_auth_links/' || provider_id || '/' || user_id, refresh_token, 'refresh'
      FROM external_auth_links WHERE refresh_token IS NOT NULL
"""
RESEAL: LiteralString = """
    UPDATE external_auth_links
       SET access_token = CASE WHEN %(column)s = 'access' THEN %(blob)s ELSE access_token END,
           refresh_token = CASE WHEN %(column)s = 'refresh' THEN %(blob)s ELSE refresh_token END
     WHERE 'external_auth_links/' || provider_id || '/' || user_id = %(place)s
"""
LOCK: LiteralString = "LOCK TABLE external_auth_links IN EXCLUSIVE MODE"
FORGET: LiteralString = "DELETE FROM external_auth_links"
CLAIM_FOR = timedelta(seconds=60)
"""Longer than a service may take to answer."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Tokens as they are stored."""

    access_token: bytes = field(repr=False)
    refresh_token: bytes | None = field(repr=False)
    expires_at: datetime | None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


async def get(tx: Tx, provider_id: str, user_id: UUID) -> Link | None:
    """Return a user's account at a service, whoever asks."""
    return await tx.one(Link, GET, {"provider_id": provider_id, "user_id": user_id})


async def of_user(tx: Tx, user_id: UUID) -> list[Link]:
    """Return a user's accounts at all services, whoever asks."""
    return await tx.all(Link, OF_USER, {"user_id": user_id})


async def put(tx: Tx, provider_id: str, user_id: UUID, tokens: Sealed) -> None:
    """Link an account, in place of the one that was."""
    await tx.run(
        PUT,
        {
            "provider_id": provider_id,
            "user_id": user_id,
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_at": tokens.expires_at,
            "extra": jsonb(dict(tokens.extra)),
            "now": tx.now,
        },
    )


async def delete(tx: Tx, provider_id: str, user_id: UUID) -> bool:
    """Forget an account; tell whether there was one."""
    return await tx.run(DELETE, {"provider_id": provider_id, "user_id": user_id}) > 0


async def claim(tx: Tx, link: Link) -> bool:
    """Be the one who renews; False when another one does, or did."""
    args = {**_which(link), "until": tx.now + CLAIM_FOR, "now": tx.now}
    return await tx.run(CLAIM, args) > 0


async def renew(tx: Tx, link: Link, tokens: Sealed) -> None:
    """Keep renewed tokens, unless the account was linked anew meanwhile."""
    args = {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at,
        "now": tx.now,
    }
    await tx.run(RENEW, {**_which(link), **args})


async def fail(tx: Tx, link: Link, failure: str, *, lost: bool) -> None:
    """Remember why renewing failed; ``lost`` says that it never will succeed."""
    await tx.run(FAILED, {**_which(link), "failure": failure, "lost": lost, "now": tx.now})


def _which(link: Link) -> dict[str, Any]:
    return {
        "provider_id": link.provider_id,
        "user_id": link.user_id,
        "seen": link.updated_at,
    }


async def sealed(tx: Tx) -> list[SealedValue]:
    """Return every token, to seal it anew; none is renewed until the commit."""
    await tx.run(LOCK)
    return await tx.all(SealedValue, SEALED)


async def reseal(tx: Tx, values: Sequence[SealedValue]) -> None:
    """Store tokens that were sealed anew."""
    rows = [{"place": each.place, "blob": each.blob, "column": each.column} for each in values]
    await tx.many(RESEAL, rows)


async def forget(tx: Tx) -> int:
    """Forget every linked account; return how many there were."""
    return await tx.run(FORGET)
