"""What chats changed."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from coder_cli.sdk.chats.diffs import ChatDiffContents
from server.chats.actions.diffs import Diffs
from server.chats.convert.diffs import diff
from server.kit.routing import Me, provided

routes = APIRouter()

Service = Annotated[Diffs, Depends(provided(Diffs))]


@routes.get("/{chat}/diff")
async def get_diff(me: Me, diffs: Service, chat: UUID) -> ChatDiffContents:
    """Return a chat's branch, and the diff of its pull request."""
    return diff(await diffs.of(me, chat))
