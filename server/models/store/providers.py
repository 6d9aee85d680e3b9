"""Providers in SQL, and the keys that people brought to them. Keys come and go sealed."""

from typing import LiteralString
from uuid import UUID

from psycopg.errors import ForeignKeyViolation, UniqueViolation

from server.kit.db import Tx
from server.kit.sealing import SealedValue
from server.models.errors import ProviderExists, StillReferenced
from server.models.model.providers import Provider

COLUMNS: LiteralString = """
    p.id, p.provider, p.display_name, p.icon, p.enabled, p.api_key IS NOT NULL AS has_api_key,
    p.central_api_key_enabled, p.allow_user_api_key, p.allow_central_api_key_fallback, p.base_url,
    p.created_at, p.updated_at
"""

LIST: LiteralString = f"SELECT {COLUMNS} FROM chat_providers p ORDER BY p.provider"
BY_ID: LiteralString = f"SELECT {COLUMNS} FROM chat_providers p WHERE p.id = %(id)s"
ENABLED: LiteralString = "SELECT provider FROM chat_providers WHERE enabled ORDER BY provider"
BY_NAME: LiteralString = f"SELECT {COLUMNS} FROM chat_providers p WHERE p.provider = %(provider)s"
INSERT: LiteralString = """
    INSERT INTO chat_providers (id, provider, display_name, icon, enabled, api_key,
                                central_api_key_enabled, allow_user_api_key,
                                allow_central_api_key_fallback, base_url, created_at, updated_at)
    VALUES (%(id)s, %(provider)s, %(display_name)s, %(icon)s, %(enabled)s, %(api_key)s,
            %(central)s, %(users)s, %(fallback)s, %(base_url)s, %(now)s, %(now)s)
"""
UPDATE: LiteralString = """
    UPDATE chat_providers
       SET display_name = %(display_name)s, icon = %(icon)s, enabled = %(enabled)s,
           api_key = CASE WHEN %(keep_key)s THEN api_key ELSE %(api_key)s END,
           central_api_key_enabled = %(central)s, allow_user_api_key = %(users)s,
           allow_central_api_key_fallback = %(fallback)s, base_url = %(base_url)s,
           updated_at = %(now)s
     WHERE id = %(id)s
"""
DELETE_MODELS: LiteralString = "DELETE FROM chat_model_configs WHERE provider = %(provider)s"
DELETE_KEYS: LiteralString = "DELETE FROM user_chat_provider_keys WHERE provider = %(provider)s"
DELETE: LiteralString = "DELETE FROM chat_providers WHERE id = %(id)s"

# Whoever changes what is offered waits for the other: there is exactly one default at every time.
LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('chat providers and models'))"

OFFER: LiteralString = """
    INSERT INTO site_configs (key, value)
    SELECT 'agents_stand_in_offered', 'true'
     WHERE NOT EXISTS (SELECT FROM chat_providers)
    ON CONFLICT (key) DO NOTHING
"""
OFFERED: LiteralString = """
    INSERT INTO site_configs (key, value) VALUES ('agents_stand_in_offered', 'true')
    ON CONFLICT (key) DO NOTHING
"""

OF_USER: LiteralString = """
    SELECT provider FROM user_chat_provider_keys WHERE user_id = %(user_id)s
"""
PUT_KEY: LiteralString = """
    INSERT INTO user_chat_provider_keys (user_id, provider, api_key, created_at, updated_at)
    VALUES (%(user_id)s, %(provider)s, %(api_key)s, %(now)s, %(now)s)
    ON CONFLICT (user_id, provider) DO UPDATE
       SET api_key = excluded.api_key, updated_at = excluded.updated_at
"""
DELETE_KEY: LiteralString = """
    DELETE FROM user_chat_provider_keys WHERE user_id = %(user_id)s AND provider = %(provider)s
"""

SEALED: LiteralString = """
    SELECT 'chat_providers.api_key/' || id AS place, api_key AS blob, '' AS column
      FROM chat_providers WHERE api_key IS NOT NULL
     UNION ALL
    SELECT 'user_chat_provider_keys.api_key/' || user_id || '/' || provider, api_key, ''
      FROM user_chat_provider_keys
"""
FORGET_CENTRAL: LiteralString = "UPDATE chat_providers SET api_key = NULL WHERE api_key IS NOT NULL"
FORGET_OWN: LiteralString = "DELETE FROM user_chat_provider_keys"
RESEAL_PROVIDER: LiteralString = """
    UPDATE chat_providers SET api_key = %(blob)s
     WHERE 'chat_providers.api_key/' || id = %(place)s
"""
RESEAL_USER: LiteralString = """
    UPDATE user_chat_provider_keys SET api_key = %(blob)s
     WHERE 'user_chat_provider_keys.api_key/' || user_id || '/' || provider = %(place)s
"""


def place(provider_id: UUID) -> str:
    """Return what the key of a provider is sealed to."""
    return f"chat_providers.api_key/{provider_id}"


def user_place(user_id: UUID, provider: str) -> str:
    """Return what somebody's own key is sealed to."""
    return f"user_chat_provider_keys.api_key/{user_id}/{provider}"


async def listed(tx: Tx) -> list[Provider]:
    """Return every provider that was set up."""
    return await tx.all(Provider, LIST)


async def get(tx: Tx, provider_id: UUID) -> Provider | None:
    """Return a provider by its id."""
    return await tx.one(Provider, BY_ID, {"id": provider_id})


async def named(tx: Tx, provider: str) -> Provider | None:
    """Return a provider by its name."""
    return await tx.one(Provider, BY_NAME, {"provider": provider})


async def insert(tx: Tx, provider: Provider, sealed: bytes | None) -> None:
    """Store a new provider.

    Raises:
        ProviderExists: it was set up before.
    """
    args = {**_args(provider), "provider": provider.provider, "api_key": sealed, "now": tx.now}
    try:
        async with tx.savepoint():
            await tx.run(INSERT, args)
    except UniqueViolation as error:
        raise ProviderExists from error


async def update(tx: Tx, provider: Provider, sealed: bytes | None, *, keep_key: bool) -> None:
    """Store a provider as it is now; ``sealed`` replaces its key unless ``keep_key``."""
    key = {"api_key": sealed, "keep_key": keep_key, "now": tx.now}
    await tx.run(UPDATE, {**_args(provider), **key})


async def delete(tx: Tx, provider: Provider) -> None:
    """Forget a provider with its models, and the keys that people brought to it.

    Raises:
        StillReferenced: chats were led with one of the models.
    """
    try:
        async with tx.savepoint():
            await tx.run(DELETE_MODELS, {"provider": provider.provider})
    except ForeignKeyViolation as error:
        raise StillReferenced from error
    await tx.run(DELETE_KEYS, {"provider": provider.provider})
    await tx.run(DELETE, {"id": provider.id})


async def lock(tx: Tx) -> None:
    """Wait for whoever else changes providers or models."""
    await tx.run(LOCK)


async def claim_offer(tx: Tx) -> bool:
    """Tell whether the stand-in is to be offered now: once, where there never was a provider."""
    return await tx.run(OFFER) == 1


async def refuse_offer(tx: Tx) -> None:
    """Remember that there was a provider: the stand-in is never offered unasked."""
    await tx.run(OFFERED)


async def of_user(tx: Tx, user_id: UUID) -> set[str]:
    """Return to which providers a user brought a key."""
    return set(await tx.values(OF_USER, {"user_id": user_id}))


async def put_key(tx: Tx, user_id: UUID, provider: str, sealed: bytes) -> None:
    """Store a user's own key."""
    args = {"user_id": user_id, "provider": provider, "api_key": sealed, "now": tx.now}
    await tx.run(PUT_KEY, args)


async def delete_key(tx: Tx, user_id: UUID, provider: str) -> None:
    """Forget a user's own key."""
    await tx.run(DELETE_KEY, {"user_id": user_id, "provider": provider})


async def sealed(tx: Tx) -> list[SealedValue]:
    """Return every sealed key of this room, to seal it anew."""
    return await tx.all(SealedValue, SEALED)


async def reseal(tx: Tx, values: list[SealedValue]) -> None:
    """Store keys that were sealed anew."""
    rows = [{"place": value.place, "blob": value.blob} for value in values]
    # Each finds its own: a place names its table.
    await tx.many(RESEAL_PROVIDER, rows)
    await tx.many(RESEAL_USER, rows)


async def forget_keys(tx: Tx) -> int:
    """Forget every key, of the deployment and of users; return how many there were."""
    return await tx.run(FORGET_CENTRAL) + await tx.run(FORGET_OWN)


def _args(provider: Provider) -> dict[str, object]:
    return {
        "id": provider.id,
        "display_name": provider.display_name,
        "icon": provider.icon,
        "enabled": provider.enabled,
        "central": provider.central_api_key_enabled,
        "users": provider.allow_user_api_key,
        "fallback": provider.allow_central_api_key_fallback,
        "base_url": provider.base_url,
    }


async def enabled(tx: Tx) -> list[str]:
    """Return the names of the providers that may be called."""
    return await tx.values(ENABLED)
