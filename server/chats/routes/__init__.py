"""HTTP edges of chats, below ``/chats``: mounted under ``/api/v2`` and ``/api/experimental``."""

from fastapi import APIRouter

from server.chats.routes import chats, config, diffs, files, listing, messages, queue, titles

routes = APIRouter(tags=["Chats"])
# Names that are no id of a chat come first.
for part in (config, files, listing, titles, diffs, chats, messages, queue):
    routes.include_router(part.routes, prefix="/chats")

__all__ = ["routes"]
