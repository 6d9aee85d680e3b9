"""HTTP edges of identity."""

from fastapi import APIRouter

from server.identity.routes import access, keys, organizations, sessions, users

routes = APIRouter(prefix="/api/v2")
# The fixed paths below /users come before /users/{user}, which would swallow them.
for part in (sessions, access, keys, organizations, users):
    routes.include_router(part.routes)

__all__ = ["routes"]
