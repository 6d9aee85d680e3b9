"""HTTP edges of provisioning: the queue as a list, and logs as a stream."""

from fastapi import APIRouter

from server.provisioning.routes.keys import keys
from server.provisioning.routes.lists import lists
from server.provisioning.routes.serve import serve

routes = APIRouter(prefix="/api/v2", tags=["provisioning"])
routes.include_router(lists)
routes.include_router(keys)
routes.include_router(serve)

__all__ = ["routes"]
