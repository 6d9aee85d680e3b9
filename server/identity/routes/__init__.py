"""HTTP edges of identity."""

from fastapi import APIRouter

from server.identity.routes import access, keys, linking, organizations, sessions, users

routes = APIRouter()
_api = APIRouter(prefix="/api/v2")
# The fixed paths below /users come before /users/{user}, which would swallow them.
for part in (sessions, access, keys, organizations, users, linking):
    _api.include_router(part.routes)
routes.include_router(_api)
routes.include_router(linking.callbacks)

__all__ = ["routes"]
