"""HTTP edges of chats, below ``/chats``: mounted under ``/api/v2`` and ``/api/experimental``."""

from fastapi import APIRouter

from server.chats.routes import (
    chats,
    config,
    cost,
    diffs,
    files,
    kill,
    limits,
    listing,
    messages,
    queue,
    stream,
    titles,
    watch,
)

routes = APIRouter(tags=["Chats"])
# Names that are no id of a chat come first.
for part in (
    config,
    files,
    limits,
    cost,
    kill,
    listing,
    titles,
    diffs,
    chats,
    messages,
    queue,
    stream,
    watch,
):
    routes.include_router(part.routes, prefix="/chats")

__all__ = ["routes"]
