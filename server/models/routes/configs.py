"""HTTP edges of models."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request

from coder_cli.sdk.chats.models import (
    ChatModelConfig,
    CreateChatModelConfigRequest,
    UpdateChatModelConfigRequest,
)
from server.kit.routing import Db, Me
from server.llm import Json
from server.models import convert, policy
from server.models.actions import configs as actions
from server.models.actions.configs import ConfigChange
from server.models.model import options

routes = APIRouter(prefix="/model-configs")
Body = CreateChatModelConfigRequest | UpdateChatModelConfigRequest


@routes.get("")
async def list_chat_model_configs(db: Db, me: Me) -> list[ChatModelConfig]:
    """Return the models on offer, the default first; admins see the others too."""
    async with db.tx(me) as tx:
        rows = await actions.listed(tx)
    return [convert.config(row) for row in rows]


@routes.post("", status_code=201)
async def create_chat_model_config(
    db: Db, me: Me, request: Request, body: CreateChatModelConfigRequest
) -> ChatModelConfig:
    """Offer a model."""
    policy.may_update(me)
    change = _change(body, await _options(request, body))
    async with db.tx(me) as tx:
        row = await actions.create(tx, change)
    return convert.config(row)


@routes.patch("/{model_config_id}")
async def update_chat_model_config(
    db: Db, me: Me, request: Request, model_config_id: UUID, body: UpdateChatModelConfigRequest
) -> ChatModelConfig:
    """Change a model; what is not given stays."""
    policy.may_update(me)
    change = _change(body, await _options(request, body))
    async with db.tx(me) as tx:
        row = await actions.update(tx, model_config_id, change)
    return convert.config(row)


@routes.delete("/{model_config_id}", status_code=204)
async def delete_chat_model_config(db: Db, me: Me, model_config_id: UUID) -> None:
    """Offer a model no more."""
    async with db.tx(me) as tx:
        await actions.delete(tx, model_config_id)


def _change(body: Body, checked: Mapping[str, Json] | None) -> ConfigChange:
    return ConfigChange(
        provider=body.provider,
        model=body.model,
        display_name=body.display_name,
        enabled=body.enabled,
        is_default=body.is_default,
        context_limit=body.context_limit,
        compression_threshold=body.compression_threshold,
        options=checked,
    )


async def _options(request: Request, body: Body) -> Mapping[str, Json] | None:
    """Return the checked options of a body, or None where it has none.

    The shape alone would not see what it does not know; what was sent is looked at, too.
    """
    if body.options is None:
        return None
    sent = cast("dict[str, Any]", await request.json())
    return options.checked(body.options, sent.get("model_config", sent.get("options")))
