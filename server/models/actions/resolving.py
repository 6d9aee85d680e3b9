"""Which model answers, with whose key, and at what price: one query for each turn."""

from uuid import UUID

from server.kit.db import Tx
from server.kit.sealing import Sealer
from server.models.model.configs import ModelConfig, Resolved


async def choose(tx: Tx, config_id: UUID | None, last: UUID | None = None) -> ModelConfig:
    """Return the model to use: ``config_id``, else ``last`` while it is offered, else the default.

    Raises:
        NoSuchModelConfig: ``config_id`` does not exist, or it or its provider is disabled.
        NoDefaultModel: nothing was asked for, and there is no default.
    """
    raise NotImplementedError


async def resolve(
    tx: Tx, sealer: Sealer, owner_id: UUID, config_id: UUID | None, last: UUID | None = None
) -> Resolved:
    """Return how ``owner_id`` calls the model that ``choose`` would return.

    Raises:
        NoSuchModelConfig: ``config_id`` does not exist, or it is disabled.
        NoDefaultModel: nothing was asked for, and there is no default.
        ModelError: the provider is disabled, or there is no key to use.
    """
    raise NotImplementedError
