"""Versions of templates: pushed, listed, promoted, archived."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from coder_cli.sdk import templates as sdk
from coder_cli.sdk.common import Response as Said
from server.kit.routing import Db, Me, Paged
from server.templates.actions import show, versions

routes = APIRouter()

Flag = Annotated[bool | None, Query()]


@routes.post("/organizations/{organization}/templateversions", status_code=201)
async def post_version(
    db: Db, me: Me, organization: str, request: sdk.CreateTemplateVersionRequest
) -> sdk.TemplateVersion:
    """Import an archive as a version."""
    async with db.tx(me) as tx:
        created = await versions.create(tx, organization, request)
        return await show.version(tx, created)


@routes.get("/organizations/{organization}/templates/{template}/versions/{name}")
async def get_version_named(
    db: Db, me: Me, organization: str, template: str, name: str
) -> sdk.TemplateVersion:
    """Show a version by the names of its organization, template and itself."""
    async with db.tx(me) as tx:
        return await show.version_named(tx, organization, template, name)


@routes.get(
    "/organizations/{organization}/templates/{template}/versions/{name}/previous",
    response_model=sdk.TemplateVersion,
    responses={204: {"description": "It is the first one."}},
)
async def get_previous_version(
    db: Db, me: Me, organization: str, template: str, name: str
) -> sdk.TemplateVersion | Response:
    """Show the version that was pushed before another one."""
    async with db.tx(me) as tx:
        before = await show.previous(tx, organization, template, name)
    return before or Response(status_code=204)


@routes.get("/templates/{template}/versions")
async def get_versions(
    db: Db, me: Me, page: Paged, template: UUID, include_archived: Flag = None
) -> list[sdk.TemplateVersion]:
    """List a template's versions, oldest first."""
    async with db.tx(me) as tx:
        return await show.versions(tx, template, page, include_archived=bool(include_archived))


@routes.get("/templates/{template}/versions/{name}")
async def get_versions_named(
    db: Db, me: Me, template: UUID, name: str
) -> list[sdk.TemplateVersion]:
    """Show a template's version by its name, as a list of one."""
    async with db.tx(me) as tx:
        return await show.versions_named(tx, template, name)


@routes.patch("/templates/{template}/versions")
async def patch_active_version(
    db: Db, me: Me, template: UUID, request: sdk.UpdateActiveTemplateVersion
) -> Said:
    """Make a version the one that new builds use."""
    async with db.tx(me) as tx:
        await versions.promote(tx, template, request.id)
    return Said(message="Updated the active template version!")


@routes.post("/templates/{template}/versions/archive")
async def post_archive_versions(
    db: Db, me: Me, template: UUID, request: sdk.ArchiveTemplateVersionsRequest
) -> sdk.ArchiveTemplateVersionsResponse:
    """Archive a template's versions that nothing uses."""
    async with db.tx(me) as tx:
        archived = await versions.archive_unused(tx, template, everything=request.all)
    return sdk.ArchiveTemplateVersionsResponse(template_id=template, archived_ids=list(archived))


@routes.get("/templateversions/{version}")
async def get_version(db: Db, me: Me, version: UUID) -> sdk.TemplateVersion:
    """Show a version."""
    async with db.tx(me) as tx:
        return await show.version_by_id(tx, version)


@routes.patch("/templateversions/{version}")
async def patch_version(
    db: Db, me: Me, version: UUID, request: sdk.PatchTemplateVersionRequest
) -> sdk.TemplateVersion:
    """Change a version's name or message."""
    async with db.tx(me) as tx:
        renamed = await versions.rename(tx, version, request)
        return await show.version(tx, renamed)


@routes.patch("/templateversions/{version}/cancel")
async def patch_cancel_version(db: Db, me: Me, version: UUID) -> Said:
    """Stop a version's import."""
    async with db.tx(me) as tx:
        await versions.cancel(tx, version)
    return Said(message="Job has been marked as canceled...")


@routes.post("/templateversions/{version}/archive")
async def post_archive_version(db: Db, me: Me, version: UUID) -> Said:
    """Hide a version that nothing uses."""
    async with db.tx(me) as tx:
        await versions.archive(tx, version, archived=True)
    return Said(message="Template version archived.")


@routes.post("/templateversions/{version}/unarchive")
async def post_unarchive_version(db: Db, me: Me, version: UUID) -> Said:
    """Show an archived version again."""
    async with db.tx(me) as tx:
        await versions.archive(tx, version, archived=False)
    return Said(message="Template version unarchived.")
