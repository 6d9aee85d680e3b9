"""HTTP edges of what chats cost."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BeforeValidator

from coder_cli.sdk.chats.limits import ChatCost, ChatCostSummary, ChatCostUsersResponse
from server.chats.actions import costs
from server.chats.actions.costs import Wanted
from server.chats.convert import money
from server.kit.routing import Db, Me, Paged


def _given(text: str | None) -> str | None:
    """Return a date, or None for one that was left empty."""
    # A plus sign that nobody escaped is a blank by now.
    return text.replace(" ", "+") if text else None


routes = APIRouter()
Date = Annotated[AwareDatetime | None, BeforeValidator(_given), Query()]


@routes.get("/cost/users")
async def get_chat_cost_users(
    db: Db,
    me: Me,
    page: Paged,
    username: str = "",
    start_date: Date = None,
    end_date: Date = None,
) -> ChatCostUsersResponse:
    """Return what everybody's chats came to, the dearest first."""
    wanted = Wanted(start_date, end_date, username, page.limit, page.offset)
    async with db.tx(me) as tx:
        span, count, rows = await costs.users(tx, wanted)
    return ChatCostUsersResponse(
        start_date=span.start,
        end_date=span.end,
        count=count,
        users=[money.of_user(row) for row in rows],
    )


@routes.get("/cost/{user}/summary")
async def get_chat_cost_summary(
    db: Db, me: Me, user: str, start_date: Date = None, end_date: Date = None
) -> ChatCostSummary:
    """Return what a user's chats came to, in the last 30 days unless said otherwise."""
    async with db.tx(me) as tx:
        return money.summary(await costs.summary(tx, user, start_date, end_date))


@routes.get("/{chat}/cost")
async def get_chat_cost(db: Db, me: Me, chat: UUID) -> ChatCost:
    """Return what a chat came to, with each of its sub-agents."""
    async with db.tx(me) as tx:
        return money.of_chat(chat, *await costs.of_chat(tx, chat))
