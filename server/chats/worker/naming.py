"""The model that gives a chat its title: the chat's own, held to few words."""

from dataclasses import dataclass, replace
from uuid import UUID

from server import models
from server.chats.actions.titles import Namer
from server.chats.model.titles import OUTPUT_TOKENS
from server.chats.worker.ledger import ME
from server.kit.db import Database
from server.kit.sealing import Sealer
from server.llm import Clients


@dataclass(frozen=True, slots=True)
class ChatNamers:
    """Finds models for titles (``actions.titles.Namers``)."""

    database: Database
    sealer: Sealer
    clients: Clients

    async def __call__(self, owner_id: UUID, config_id: UUID) -> Namer:
        """Return a model to call for the owner.

        Raises:
            ModelError: there is no key, or the provider is disabled.
            ApiError: there is no such model.
        """
        async with self.database.tx(ME) as tx:
            found = await models.resolve(tx, self.sealer, owner_id, None, config_id)
        options = replace(found.options, max_output_tokens=OUTPUT_TOKENS, reasoning_effort="")
        model = self.clients.model(found.credentials, found.config.model, options)
        return Namer(model, found.prices)
