"""HTTP edges of providers and models: below ``/chats`` of both bases."""

from server.kit.routing import Section
from server.models.routes import configs, picking, providers

routes = Section("/api/v2/chats", "/api/experimental/chats", tags=["Chats"])
for part in (providers, configs, picking):
    routes.include_router(part.routes)

__all__ = ["routes"]
