"""HTTP edges of provisioning: the queue as a list, and logs as a stream."""

from fastapi import APIRouter

from server.provisioning.routes.lists import lists

routes = APIRouter(prefix="/api/v2", tags=["provisioning"])
routes.include_router(lists)

__all__ = ["routes"]
