"""New titles, on demand."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from coder_cli.sdk.chats.chats import Chat, ProposeChatTitleResponse
from server.chats.actions import listing
from server.chats.actions.titles import Titles
from server.chats.convert.chats import shown as to_sdk
from server.kit.routing import Db, Me, provided

routes = APIRouter(prefix="/{chat}/title")

Service = Annotated[Titles, Depends(provided(Titles))]


@routes.post("/regenerate")
async def post_regenerate(db: Db, me: Me, titles: Service, chat: UUID) -> Chat:
    """Give a chat a new title."""
    named = await titles.regenerate(me, chat)
    async with db.tx(me) as tx:
        [shown] = await listing.complete(tx, [named])
    return to_sdk(shown)


@routes.post("/propose")
async def post_propose(me: Me, titles: Service, chat: UUID) -> ProposeChatTitleResponse:
    """Return a title that the chat could have."""
    return ProposeChatTitleResponse(title=await titles.propose(me, chat))
