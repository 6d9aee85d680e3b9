"""What a workspace tells a chat: called inside it, with the agent's token."""

from fastapi import APIRouter, Depends, Request

from coder_cli.sdk.chats.context import (
    LARGEST_ALL,
    PATH,
    AddChatContextRequest,
    ChatContextResponse,
    ClearChatContextRequest,
)
from server.agents import CallingAgent
from server.chats.actions import context
from server.kit.errors import TooLarge
from server.kit.routing import Db, agent_only

routes = APIRouter(prefix=f"/api/v2{PATH}", tags=["Chats"], dependencies=[Depends(agent_only)])


async def _bounded(request: Request) -> None:
    # JSON needs up to six bytes for what is one.
    if len(await request.body()) > 2 * LARGEST_ALL:
        raise TooLarge("Request body too large.", detail=f"Maximum is {2 * LARGEST_ALL} bytes.")


@routes.post("", dependencies=[Depends(_bounded)])
async def post_context(
    db: Db, caller: CallingAgent, body: AddChatContextRequest
) -> ChatContextResponse:
    """Tell a chat that works here about files and skills."""
    who = caller.identity
    async with db.tx(await context.owner(db, who.owner_id)) as tx:
        count = await context.add(tx, body.chat_id, who.workspace_id, who.agent_id, body.parts)
    return ChatContextResponse(chat_id=body.chat_id, count=count)


@routes.delete("", dependencies=[Depends(_bounded)])
async def delete_context(
    db: Db, caller: CallingAgent, body: ClearChatContextRequest
) -> ChatContextResponse:
    """Take back what a chat that works here was told."""
    who = caller.identity
    async with db.tx(await context.owner(db, who.owner_id)) as tx:
        count = await context.clear(tx, body.chat_id, who.workspace_id)
    return ChatContextResponse(chat_id=body.chat_id, count=count)
