"""Keys that people bring themselves: theirs alone, and used before the deployment's."""

from uuid import UUID

from server.kit.db import Tx
from server.kit.errors import Invalid, NotFound
from server.kit.sealing import Sealer
from server.models import policy
from server.models.actions.providers import trimmed
from server.models.errors import ProviderDisabled, UserKeysNotAllowed
from server.models.events import ChatConfigEvent, ConfigKind
from server.models.model.providers import Provider
from server.models.store import providers


async def listed(tx: Tx) -> list[tuple[Provider, bool]]:
    """Return the providers that the actor may bring a key to, and whether they did."""
    own = await providers.of_user(tx, tx.actor.user_id)
    return [
        (provider, provider.provider in own)
        for provider in await providers.listed(tx)
        if provider.enabled and provider.allow_user_api_key
    ]


async def put(tx: Tx, sealer: Sealer, which: str, key: str) -> Provider:
    """Keep the actor's own key for a provider.

    Raises:
        NotFound: there is no such provider.
        ProviderDisabled, UserKeysNotAllowed: it takes none.
        Invalid: the key is empty, or no key.
    """
    policy.may_set_own(tx.actor)
    provider = await _get(tx, which)
    if not provider.enabled:
        raise ProviderDisabled
    if not provider.allow_user_api_key:
        raise UserKeysNotAllowed
    key = trimmed(key) or ""
    if not key:
        raise Invalid("API key is required.")
    user_id = tx.actor.user_id
    place = providers.user_place(user_id, provider.provider)
    sealed = await sealer.seal(tx, key, place)
    await providers.put_key(tx, user_id, provider.provider, sealed)
    await tx.announce(ChatConfigEvent(kind=ConfigKind.PROVIDERS, entity_id=provider.id))
    return provider


async def delete(tx: Tx, which: str) -> None:
    """Forget the actor's own key for a provider, whether there was one or not.

    Raises:
        NotFound: there is no such provider.
    """
    policy.may_set_own(tx.actor)
    provider = await _get(tx, which)
    await providers.delete_key(tx, tx.actor.user_id, provider.provider)
    await tx.announce(ChatConfigEvent(kind=ConfigKind.PROVIDERS, entity_id=provider.id))


async def _get(tx: Tx, which: str) -> Provider:
    """Return a provider by its id or its name."""
    try:
        found = await providers.get(tx, UUID(which))
    except ValueError:
        found = await providers.named(tx, which)
    if found is None:
        raise NotFound
    return found
