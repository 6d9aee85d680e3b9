"""Set up providers: which are called, where, and whose keys are used."""

from dataclasses import replace
from uuid import UUID

from server.kit.db import Tx
from server.kit.errors import Invalid, NotFound
from server.kit.sealing import Sealer
from server.models import policy
from server.models.actions import configs, standin
from server.models.events import ChatConfigEvent, ConfigKind
from server.models.model.providers import (
    MAX_KEY_BYTES,
    Provider,
    ProviderChange,
    blank,
    changed,
    known,
)
from server.models.store import providers


async def listed(tx: Tx) -> list[Provider]:
    """Return the providers that were set up."""
    policy.may_read(tx.actor)
    found = await providers.listed(tx)
    if not found:
        await standin.offer(tx)
        found = await providers.listed(tx)
    return found


async def create(tx: Tx, sealer: Sealer, name: str, change: ProviderChange) -> Provider:
    """Set up a provider.

    Raises:
        BadProvider: nobody here can call it.
        ProviderExists: it was set up before.
        BadBaseUrl, BadPolicy, KeyRequired: it could not be called.
    """
    policy.may_update(tx.actor)
    key = trimmed(change.api_key)
    made = changed(blank(known(name), tx.now), replace(change, api_key=key), tx.now)
    await providers.lock(tx)
    await providers.insert(tx, made, await _sealed(tx, sealer, made.id, key))
    await providers.refuse_offer(tx)
    await _announce(tx, made.id)
    return made


async def update(tx: Tx, sealer: Sealer, provider_id: UUID, change: ProviderChange) -> Provider:
    """Change a provider; what ``change`` leaves open stays.

    Raises:
        NotFound: there is none.
        BadBaseUrl, BadPolicy, KeyRequired: it could not be called.
    """
    policy.may_update(tx.actor)
    await providers.lock(tx)
    before = _found(await providers.get(tx, provider_id))
    key = trimmed(change.api_key)
    after = changed(before, replace(change, api_key=key), tx.now)
    sealed = await _sealed(tx, sealer, provider_id, key)
    await providers.update(tx, after, sealed, keep_key=key is None)
    if before.enabled != after.enabled:
        await configs.elect(tx)
    await _announce(tx, provider_id)
    return after


async def delete(tx: Tx, provider_id: UUID) -> None:
    """Forget a provider with its models and everybody's keys.

    Raises:
        NotFound: there is none.
        StillReferenced: chats were led with one of its models.
    """
    policy.may_update(tx.actor)
    await providers.lock(tx)
    await providers.delete(tx, _found(await providers.get(tx, provider_id)))
    await configs.elect(tx)
    await _announce(tx, provider_id)


def trimmed(key: str | None) -> str | None:
    """Return a key without the white space that comes along when it is pasted.

    Raises:
        Invalid: it is too long, or no key of any service.
    """
    if key is None:
        return None
    key = key.strip()
    if len(key.encode()) > MAX_KEY_BYTES:
        raise Invalid("API key is too long.", detail=f"At most {MAX_KEY_BYTES} bytes are kept.")
    if not key.isprintable() or not key.isascii():
        raise Invalid("API key must consist of printable ASCII characters.")
    return key


async def _sealed(tx: Tx, sealer: Sealer, provider_id: UUID, key: str | None) -> bytes | None:
    return await sealer.seal(tx, key, providers.place(provider_id)) if key else None


async def _announce(tx: Tx, provider_id: UUID) -> None:
    await tx.announce(ChatConfigEvent(kind=ConfigKind.PROVIDERS, entity_id=provider_id))


def _found(provider: Provider | None) -> Provider:
    if provider is None:
        raise NotFound
    return provider
