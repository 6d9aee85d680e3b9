"""Which model answers, with whose key, and at what price: two queries for each turn."""

from uuid import UUID

from server.kit.db import Tx
from server.kit.sealing import CannotUnseal, Sealer
from server.llm import Credentials, ErrorKind, ModelError, Prices, price_of
from server.models.actions import standin
from server.models.errors import NoDefaultModel, NoSuchModelConfig
from server.models.model import options
from server.models.model.configs import ModelConfig, Resolved
from server.models.model.providers import NAMES, keyless
from server.models.store import configs, providers
from server.models.store.configs import Access


async def choose(tx: Tx, config_id: UUID | None, last: UUID | None = None) -> ModelConfig:
    """Return the model to use: ``config_id``, else ``last`` while it is offered, else the default.

    Raises:
        NoSuchModelConfig: ``config_id`` does not exist, or it or its provider is disabled.
        NoDefaultModel: nothing was asked for, and there is no default.
    """
    found = await configs.chosen(tx, config_id, last)
    if found is None and config_id is None:
        await standin.offer(tx)
        found = await configs.chosen(tx, None, None)
    if config_id is not None and found is None:
        raise NoSuchModelConfig
    if config_id is not None and found is not None and not found.offered:
        raise NoSuchModelConfig("It, or its provider, is disabled.")
    if found is None or not found.offered:
        raise NoDefaultModel
    return found


async def resolve(
    tx: Tx, sealer: Sealer, owner_id: UUID, config_id: UUID | None, last: UUID | None = None
) -> Resolved:
    """Return how ``owner_id`` calls the model that ``choose`` would return.

    Raises:
        NoSuchModelConfig: ``config_id`` does not exist, or it is disabled.
        NoDefaultModel: nothing was asked for, and there is no default.
        ModelError: the provider is disabled, or there is no key to use.
    """
    config = await choose(tx, config_id, last)
    access = await configs.access(tx, config.provider, owner_id)
    if access is None or not access.enabled:
        raise _refused(ErrorKind.PROVIDER_DISABLED, config, "is disabled by an administrator")
    own_key = access.users and access.user_key is not None
    key = await _key(tx, sealer, config, access, owner_id)
    return Resolved(
        config=config,
        credentials=Credentials(config.provider, access.base_url, key),
        prices=prices_of(config),
        options=options.call_options(config.options),
        own_key=own_key,
    )


def prices_of(config: ModelConfig) -> Prices | None:
    """Return what a model's tokens cost now: as an admin says, else as the public table does."""
    return price_of(config.provider, config.model, options.prices(config.options))


def effort_of(config: ModelConfig, wanted: str) -> str:
    """Return the effort of thinking that a model takes when ``wanted`` was asked for."""
    return options.call_options(config.options, wanted).reasoning_effort


async def _key(tx: Tx, sealer: Sealer, config: ModelConfig, access: Access, owner_id: UUID) -> str:
    """Return the key to use; empty for a provider that needs none.

    Raises:
        ModelError: there is none, or it does not open.
    """
    if access.users and access.user_key is not None:
        place = providers.user_place(owner_id, config.provider)
        return await _opened(tx, sealer, config, access.user_key, place)
    if access.central and (access.fallback or not access.users):
        if access.api_key is not None:
            place = providers.place(access.provider_id)
            return await _opened(tx, sealer, config, access.api_key, place)
        if keyless(config.provider):
            return ""
    if access.users:
        raise _refused(ErrorKind.MISSING_KEY, config, "needs an API key of your own: add one")
    raise _refused(ErrorKind.MISSING_KEY, config, "has no API key: ask an administrator for one")


async def _opened(tx: Tx, sealer: Sealer, config: ModelConfig, blob: bytes, place: str) -> str:
    try:
        return await sealer.open(tx, bytes(blob), place)
    except CannotUnseal as broken:
        raise _refused(
            ErrorKind.MISSING_KEY, config, f"has an API key that cannot be read. {broken}"
        ) from None


def _refused(kind: ErrorKind, config: ModelConfig, why: str) -> ModelError:
    name = next((name for each, name in NAMES.items() if each == config.provider), config.provider)
    end = "" if why.endswith(".") else "."
    return ModelError(kind, f"The model provider {name} {why}{end}", provider=config.provider)
