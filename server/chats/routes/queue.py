"""Messages that wait: taken back, or sent next."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from coder_cli.sdk.chats.messages import ChatMessage, ChatQueuedMessage
from server.chats.actions import queueing
from server.chats.convert import log
from server.chats.routes.messages import LARGEST_ID
from server.kit.routing import Db, Me

routes = APIRouter(prefix="/{chat}/queue/{queued}")

Queued = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@routes.delete("", status_code=204)
async def delete_queued(db: Db, me: Me, chat: UUID, queued: Queued) -> None:
    """Take a message back that has not been sent."""
    async with db.tx(me) as tx:
        await queueing.delete(tx, chat, queued)


@routes.post("/promote")
async def post_promote(
    db: Db, me: Me, chat: UUID, queued: Queued, response: Response
) -> ChatMessage | ChatQueuedMessage:
    """Have a message go next: 200 with it, or 202 where a turn has to be stopped first."""
    async with db.tx(me) as tx:
        sent = await queueing.promote(tx, chat, queued)
    if sent.queued is not None:
        response.status_code = 202
        return log.queued(sent.queued)
    return log.message(sent.messages[-1])
