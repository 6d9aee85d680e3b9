"""HTTP edges of workspaces and builds."""

from fastapi import APIRouter

from server.workspaces.routes import builds, settings, sharing, updates, watch, workspaces

routes = APIRouter(tags=["workspaces"])
for part in (workspaces, settings, sharing, builds, watch):
    routes.include_router(part.routes, prefix="/api/v2")
routes.include_router(updates.routes, prefix="/api/experimental")

__all__ = ["routes"]
