"""HTTP edges of templates."""

from fastapi import APIRouter

from server.templates.routes import access, content, dry_runs, files, forms, templates, versions

routes = APIRouter(prefix="/api/v2", tags=["templates"])
for part in (files, templates, access, versions, content, forms, dry_runs):
    routes.include_router(part.routes)

__all__ = ["routes"]
