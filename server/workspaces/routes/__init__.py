"""HTTP edges of workspaces and builds."""

from fastapi import APIRouter

from server.workspaces.routes import builds, settings, watch, workspaces

routes = APIRouter(prefix="/api/v2", tags=["workspaces"])
for part in (workspaces, settings, builds, watch):
    routes.include_router(part.routes)

__all__ = ["routes"]
