"""HTTP edges of chats, below ``/chats``: mounted under ``/api/v2`` and ``/api/experimental``."""

from server.chats.routes import (
    chats,
    config,
    cost,
    diffs,
    files,
    git,
    kill,
    limits,
    listing,
    messages,
    queue,
    stream,
    titles,
    watch,
)
from server.kit.routing import Section

BASES = ("/api/v2", "/api/experimental")
BELOW = tuple(f"{base}/chats" for base in BASES)

talk = Section(*BELOW, tags=["Chats"])
"""What is asked most, below one chat: tried before everything else."""
for part in (messages, stream, queue, git):
    talk.include_router(part.routes, prefix="/chats")

routes = Section(*BELOW, tags=["Chats"])
# Names that are no id of a chat come first.
for part in (config, files, limits, cost, kill, listing, titles, diffs, watch, chats):
    routes.include_router(part.routes, prefix="/chats")

__all__ = ["BASES", "routes", "talk"]
