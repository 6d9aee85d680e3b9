"""What somebody can choose from, and why some of it cannot be used."""

from dataclasses import dataclass

from coder_cli.sdk.chats.models import ChatModelUnavailableReason
from server.kit.db import Tx
from server.models.actions import standin
from server.models.actions.resolving import prices_of
from server.models.model.configs import ModelConfig
from server.models.model.providers import Provider
from server.models.store import configs, providers


@dataclass(frozen=True, slots=True)
class Shelf:
    """A provider with the models on offer; ``reason`` says why they cannot be used."""

    provider: Provider
    models: list[ModelConfig]
    reason: ChatModelUnavailableReason | None


async def catalogue(tx: Tx) -> list[Shelf]:
    """Return what the actor can choose from."""
    offered = await configs.listed(tx, offered_only=True)
    if not offered:
        await standin.offer(tx)
        offered = await configs.listed(tx, offered_only=True)
    own = await providers.of_user(tx, tx.actor.user_id)
    return [
        Shelf(provider, models, unavailable(provider, has_own=provider.provider in own))
        for provider in await providers.listed(tx)
        if (models := [each for each in offered if each.provider == provider.provider])
    ]


async def unpriced(tx: Tx) -> int:
    """Return how many models on offer have no price: what they cost is counted nowhere."""
    offered = await configs.listed(tx, offered_only=True)
    return sum(prices_of(config) is None for config in offered)


def unavailable(provider: Provider, *, has_own: bool) -> ChatModelUnavailableReason | None:
    """Return why somebody cannot use a provider that is enabled, or None."""
    if provider.allow_user_api_key:
        if has_own or (provider.allow_central_api_key_fallback and provider.has_central):
            return None
        return ChatModelUnavailableReason.USER_API_KEY_REQUIRED
    return None if provider.has_central else ChatModelUnavailableReason.MISSING_API_KEY
