"""HTTP edges for whoever chooses a model, or brings a key of their own."""

from typing import Annotated

from fastapi import APIRouter, Depends

from coder_cli.sdk.chats.models import (
    ChatModel,
    ChatModelProvider,
    ChatModelsResponse,
    UpsertUserChatProviderKeyRequest,
    UserChatProviderConfig,
)
from server.kit.routing import Db, Me, provided
from server.kit.sealing import Sealer
from server.models import convert
from server.models.actions import catalogue, keys

routes = APIRouter()
Sealed = Annotated[Sealer, Depends(provided(Sealer))]


@routes.get("/models")
async def list_chat_models(db: Db, me: Me) -> ChatModelsResponse:
    """Return what the caller can choose from, by provider."""
    async with db.tx(me) as tx:
        shelves = await catalogue.catalogue(tx)
    return ChatModelsResponse(
        providers=[
            ChatModelProvider(
                provider=shelf.provider.provider,
                available=shelf.reason is None,
                unavailable_reason=shelf.reason,
                models=[
                    ChatModel(
                        id=each.id,
                        provider=each.provider,
                        model=each.model,
                        display_name=each.display_name or each.model,
                        is_default=each.is_default,
                        context_limit=each.context_limit,
                    )
                    for each in shelf.models
                ],
            )
            for shelf in shelves
        ]
    )


@routes.get("/user-provider-configs")
async def list_user_chat_providers(db: Db, me: Me) -> list[UserChatProviderConfig]:
    """Return the providers that the caller may bring a key to."""
    async with db.tx(me) as tx:
        rows = await keys.listed(tx)
    return [convert.user_provider(row, has_own=has_own) for row, has_own in rows]


@routes.put("/user-provider-configs/{provider}")
async def put_user_chat_provider_key(
    db: Db, me: Me, sealer: Sealed, provider: str, body: UpsertUserChatProviderKeyRequest
) -> UserChatProviderConfig:
    """Keep the caller's own key for a provider, given by its id or name."""
    async with db.tx(me) as tx:
        row = await keys.put(tx, sealer, provider, body.api_key)
    return convert.user_provider(row, has_own=True)


@routes.delete("/user-provider-configs/{provider}", status_code=204)
async def delete_user_chat_provider_key(db: Db, me: Me, provider: str) -> None:
    """Forget the caller's own key for a provider."""
    async with db.tx(me) as tx:
        await keys.delete(tx, provider)
