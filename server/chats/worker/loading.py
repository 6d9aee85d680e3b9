"""The libraries behind providers: loaded beside the work, once a provider is configured.

They take seconds and tens of megabytes; a deployment that calls none of them never has them.
"""

from dataclasses import dataclass

import structlog

from server import models
from server.chats.worker.ledger import ME
from server.kit.db import Database
from server.kit.errors import ApiError
from server.kit.pubsub import Pubsub
from server.llm import Clients

log = structlog.get_logger()

PATIENCE = 3.0
"""Seconds after the start, in which the first requests are answered."""
LOOK_EVERY = 600.0


@dataclass(frozen=True, slots=True)
class Loader:
    """Loads what calls of the configured providers need."""

    database: Database
    pubsub: Pubsub
    clients: Clients

    async def run(self) -> None:
        """Load at the start and whenever providers change, until cancelled."""
        await self.database.clock.sleep(PATIENCE)
        with self.pubsub.bell(models.CONFIG_TOPIC) as bell:
            while True:
                try:
                    async with self.database.tx(ME) as tx:
                        names = await models.enabled_providers(tx)
                    await self.clients.preload(names)
                except ApiError as error:
                    log.warning("libraries of providers were not loaded", error=error.message)
                await bell.wait(LOOK_EVERY)
