"""HTTP edges of the limits of spending."""

from fastapi import APIRouter

from coder_cli.sdk.chats.limits import (
    ChatUsageLimitConfig,
    ChatUsageLimitOverride,
    ChatUsageLimitStatus,
    UpdateChatUsageLimitConfigRequest,
    UpsertChatUsageLimitOverrideRequest,
)
from server.chats.actions import spending
from server.chats.convert import money
from server.kit.routing import Db, Me

routes = APIRouter(prefix="/usage-limits")


@routes.get("")
async def get_chat_usage_limits(db: Db, me: Me) -> ChatUsageLimitConfig:
    """Return the deployment's limits, and who has others."""
    async with db.tx(me) as tx:
        return money.config(*await spending.limits(tx))


@routes.put("")
async def put_chat_usage_limits(
    db: Db, me: Me, body: UpdateChatUsageLimitConfigRequest
) -> ChatUsageLimitConfig:
    """Set the deployment's limits; null takes one away."""
    async with db.tx(me) as tx:
        await spending.set_limits(
            tx,
            body.spend_limit_micros,
            body.deployment_limit_micros,
            body.period,
            keep_deployment="deployment_limit_micros" not in body.model_fields_set,
        )
        return money.config(*await spending.limits(tx))


@routes.get("/status")
async def get_chat_usage_limit_status(db: Db, me: Me) -> ChatUsageLimitStatus:
    """Return how the caller stands."""
    async with db.tx(me) as tx:
        return money.status(await spending.status(tx))


@routes.put("/overrides/{user}")
async def put_chat_usage_limit_override(
    db: Db, me: Me, user: str, body: UpsertChatUsageLimitOverrideRequest
) -> ChatUsageLimitOverride:
    """Give a user a limit of their own."""
    async with db.tx(me) as tx:
        return money.override(await spending.set_override(tx, user, body.spend_limit_micros))


@routes.delete("/overrides/{user}", status_code=204)
async def delete_chat_usage_limit_override(db: Db, me: Me, user: str) -> None:
    """Let the limit of all others hold for a user again."""
    async with db.tx(me) as tx:
        await spending.delete_override(tx, user)


@routes.put("/group-overrides/{group}", status_code=204)
async def put_chat_usage_limit_group_override(db: Db, me: Me, group: str) -> None:
    """Refuse: there are no groups to give a limit to."""
    del group
    async with db.tx(me) as tx:
        await spending.group_override(tx)


@routes.delete("/group-overrides/{group}", status_code=204)
async def delete_chat_usage_limit_group_override(db: Db, me: Me, group: str) -> None:
    """Refuse: there are no groups to take a limit from."""
    del group
    async with db.tx(me) as tx:
        await spending.group_override(tx)
