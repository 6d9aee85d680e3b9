"""HTTP edges of providers and models: below ``/chats``, wherever that is mounted."""

from fastapi import APIRouter

from server.models.routes import configs, picking, providers

routes = APIRouter(tags=["Chats"])
for part in (providers, configs, picking):
    routes.include_router(part.routes)

__all__ = ["routes"]
