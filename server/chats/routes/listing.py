"""Lists of chats, and what people change about one besides talking to it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from coder_cli.sdk.chats.chats import Chat, UpdateChatRequest
from coder_cli.sdk.chats.messages import ChatPromptsResponse
from server.chats.actions import listing, patching
from server.chats.convert.chats import shown as to_sdk
from server.chats.convert.messages import prompts
from server.chats.errors import TooManyWorkspaces
from server.chats.model.search import MOST_WORKSPACES, PAGE, Part, Search, search
from server.kit.errors import Invalid
from server.kit.routing import Db, Me, Paged

routes = APIRouter()


async def _search(q: str = "", label: Annotated[list[str] | None, Query()] = None) -> Search:
    return search(q, label or ())


async def _part(page: Paged) -> Part:
    return Part(page.limit or PAGE, page.offset, page.after_id)


@routes.get("")
async def get_chats(
    db: Db,
    me: Me,
    wanted: Annotated[Search, Depends(_search)],
    part: Annotated[Part, Depends(_part)],
) -> list[Chat]:
    """Return a page of the actor's chats, each with its sub-agents."""
    async with db.tx(me) as tx:
        shown = await listing.search(tx, wanted, part)
    return [to_sdk(one) for one in shown]


@routes.get("/by-workspace")
async def get_by_workspace(db: Db, me: Me, workspace_ids: str = "") -> dict[UUID, Chat]:
    """Return the newest chat of each of these workspaces."""
    ids = _ids(workspace_ids)
    async with db.tx(me) as tx:
        found = await listing.by_workspace(tx, ids)
    return {workspace: to_sdk(one) for workspace, one in found.items()}


@routes.patch("/{chat}", status_code=204)
async def patch_chat(db: Db, me: Me, chat: UUID, body: UpdateChatRequest) -> None:
    """Change a chat."""
    async with db.tx(me) as tx:
        await patching.patch(tx, chat, patching.Patch(**body.model_dump()))


@routes.get("/{chat}/prompts")
async def get_prompts(
    db: Db, me: Me, chat: UUID, limit: Annotated[int, Query(ge=1, le=2000)] = 500
) -> ChatPromptsResponse:
    """Return what the actor said in a chat, newest first."""
    async with db.tx(me) as tx:
        found = await patching.prompts(tx, chat, limit)
    return prompts(found)


def _ids(text: str) -> list[UUID]:
    words = [word for word in text.split(",") if word.strip()]
    if len(words) > MOST_WORKSPACES:
        raise TooManyWorkspaces(MOST_WORKSPACES)
    try:
        return [UUID(word.strip()) for word in words]
    except ValueError:
        raise Invalid("Invalid workspace IDs.", detail=text[:200]) from None
