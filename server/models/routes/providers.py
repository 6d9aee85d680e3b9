"""HTTP edges of providers, for whoever runs the deployment."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from coder_cli.sdk.chats.models import (
    ChatProvider,
    ChatProviderConfig,
    CreateChatProviderConfigRequest,
    UpdateChatProviderConfigRequest,
)
from server.kit.routing import Db, Me, provided
from server.kit.sealing import Sealer
from server.models import convert
from server.models.actions import providers as actions
from server.models.model.providers import ProviderChange

routes = APIRouter(prefix="/providers")
Sealed = Annotated[Sealer, Depends(provided(Sealer))]


@routes.get("")
async def list_chat_providers(db: Db, me: Me) -> list[ChatProviderConfig]:
    """Return every provider: those that were set up, and those that could be."""
    async with db.tx(me) as tx:
        rows = await actions.listed(tx)
    there = {row.provider for row in rows}
    possible = [convert.supported(name) for name in ChatProvider if name not in there]
    return [*map(convert.provider, rows), *possible]


@routes.post("", status_code=201)
async def create_chat_provider(
    db: Db, me: Me, sealer: Sealed, body: CreateChatProviderConfigRequest
) -> ChatProviderConfig:
    """Set up a provider."""
    async with db.tx(me) as tx:
        row = await actions.create(tx, sealer, body.provider, _change(body))
    return convert.provider(row)


@routes.patch("/{provider_id}")
async def update_chat_provider(
    db: Db, me: Me, sealer: Sealed, provider_id: UUID, body: UpdateChatProviderConfigRequest
) -> ChatProviderConfig:
    """Change a provider; what is not given stays."""
    async with db.tx(me) as tx:
        row = await actions.update(tx, sealer, provider_id, _change(body))
    return convert.provider(row)


@routes.delete("/{provider_id}", status_code=204)
async def delete_chat_provider(db: Db, me: Me, provider_id: UUID) -> None:
    """Forget a provider whose models no chat ever used."""
    async with db.tx(me) as tx:
        await actions.delete(tx, provider_id)


def _change(
    body: CreateChatProviderConfigRequest | UpdateChatProviderConfigRequest,
) -> ProviderChange:
    return ProviderChange(
        display_name=body.display_name,
        icon=body.icon,
        enabled=body.enabled,
        api_key=body.api_key,
        central_api_key_enabled=body.central_api_key_enabled,
        allow_user_api_key=body.allow_user_api_key,
        allow_central_api_key_fallback=body.allow_central_api_key_fallback,
        base_url=body.base_url,
    )
