"""Templates as lists, by id and by name."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from coder_cli.sdk import templates as sdk
from coder_cli.sdk.common import Response as Said
from server.kit.routing import Db, Me
from server.templates.actions import starters, templates, usage

routes = APIRouter()


@routes.get("/templates")
async def get_templates(db: Db, me: Me, q: str = "") -> list[sdk.Template]:
    """List templates of all organizations."""
    async with db.tx(me) as tx:
        return await templates.search(tx, q)


@routes.get("/templates/examples")
async def get_examples(me: Me) -> list[sdk.TemplateExample]:  # noqa: ARG001 - log-in needed
    """List the starter templates that the server carries."""
    return [starter.example for starter in starters.starters().values()]


@routes.get("/organizations/{organization}/templates/examples", deprecated=True)
async def get_organization_examples(
    me: Me,  # noqa: ARG001 - log-in needed
    organization: str,  # noqa: ARG001 - they are the same everywhere
) -> list[sdk.TemplateExample]:
    """List the starter templates that the server carries."""
    return [starter.example for starter in starters.starters().values()]


@routes.get("/organizations/{organization}/templates")
async def get_organization_templates(
    db: Db, me: Me, organization: str, q: str = ""
) -> list[sdk.Template]:
    """List an organization's templates."""
    async with db.tx(me) as tx:
        return await templates.search(tx, q, organization)


@routes.post("/organizations/{organization}/templates", status_code=201)
async def post_template(
    db: Db, me: Me, organization: str, request: sdk.CreateTemplateRequest
) -> sdk.Template:
    """Make a template of an imported version."""
    async with db.tx(me) as tx:
        created = await templates.create(tx, organization, request)
        return await templates.show(tx, created.id)


@routes.get("/organizations/{organization}/templates/{name}")
async def get_template_named(db: Db, me: Me, organization: str, name: str) -> sdk.Template:
    """Show an organization's template by its name."""
    async with db.tx(me) as tx:
        return await templates.show_named(tx, organization, name)


@routes.get("/templates/{template}")
async def get_template(db: Db, me: Me, template: UUID) -> sdk.Template:
    """Show a template."""
    async with db.tx(me) as tx:
        return await templates.show(tx, template)


@routes.patch(
    "/templates/{template}",
    response_model=sdk.Template,
    responses={304: {"description": "Nothing changed."}},
)
async def patch_template(
    db: Db, me: Me, template: UUID, request: sdk.UpdateTemplateMeta
) -> sdk.Template | Response:
    """Change a template's settings."""
    async with db.tx(me) as tx:
        changed = await templates.update(tx, template, request)
        return await templates.show(tx, template) if changed else Response(status_code=304)


@routes.get("/templates/{template}/daus")
async def get_daus(
    db: Db, me: Me, template: UUID, tz_offset: Annotated[int, Query(ge=-23, le=23)] = 0
) -> sdk.DAUsResponse:
    """Count who used a template, day by day, in the zone ``tz_offset`` hours east of UTC."""
    async with db.tx(me) as tx:
        return await usage.daus(tx, template, tz_offset)


@routes.post("/templates/{template}/prebuilds/invalidate")
async def post_invalidate_prebuilds(
    db: Db, me: Me, template: UUID
) -> sdk.InvalidatePresetsResponse:
    """Let ready workspaces of a template be made anew."""
    async with db.tx(me) as tx:
        return await usage.invalidate_prebuilds(tx, template)


@routes.delete("/templates/{template}")
async def delete_template(db: Db, me: Me, template: UUID) -> Said:
    """Delete a template that no workspace uses."""
    async with db.tx(me) as tx:
        await templates.delete(tx, template)
    return Said(message="Template has been deleted!")
