"""A deployment that never had a provider offers the scripted stand-in, so that chats can be tried.

It is no model, says so in its name, and costs nothing. Once refused or removed, it stays away.
"""

from dataclasses import replace
from uuid import uuid4

from coder_cli.sdk.chats.models import ChatProvider
from server.kit.db import Tx
from server.llm import Json
from server.models.events import ChatConfigEvent, ConfigKind
from server.models.model.configs import ModelConfig, default_threshold
from server.models.model.providers import NAMES, blank
from server.models.store import configs, providers

NAME = "scripted"
CONTEXT_LIMIT = 128_000
_FREE: dict[str, Json] = {
    # Priced, at nothing: rows of cost exist, and a limit that an admin tries out is not in the way.
    "cost": {
        "input_price_per_million_tokens": "0",
        "output_price_per_million_tokens": "0",
        "cache_read_price_per_million_tokens": "0",
        "cache_write_price_per_million_tokens": "0",
    }
}


async def offer(tx: Tx) -> None:
    """Offer the stand-in where there never was a provider.

    Any number of callers at once: one makes it, and the others find it when this returns.
    """
    if not await providers.claim_offer(tx):
        return
    config_id = uuid4()
    name = NAMES[ChatProvider.SCRIPTED]
    provider = replace(blank(ChatProvider.SCRIPTED, tx.now), display_name=name)
    await providers.insert(tx, provider, None)
    config = ModelConfig(
        id=config_id,
        provider=ChatProvider.SCRIPTED,
        model=NAME,
        display_name=name,
        enabled=True,
        is_default=True,
        context_limit=CONTEXT_LIMIT,
        compression_threshold=default_threshold(CONTEXT_LIMIT),
        options=_FREE,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await configs.insert(tx, config)
    await configs.set_default(tx, config_id)
    await tx.announce(ChatConfigEvent(kind=ConfigKind.PROVIDERS, entity_id=provider.id))
