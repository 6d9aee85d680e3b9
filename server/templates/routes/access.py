"""Lists of access of templates."""

from uuid import UUID

from fastapi import APIRouter

from coder_cli.sdk import template_access as sdk
from coder_cli.sdk.common import Response as Said
from server.kit.routing import Db, Me, Paged
from server.templates.actions import access

routes = APIRouter()


@routes.get("/templates/{template}/acl")
async def get_acl(db: Db, me: Me, template: UUID) -> sdk.TemplateACL:
    """Show who may use a template, and who may change it."""
    async with db.tx(me) as tx:
        return await access.show(tx, template)


@routes.get("/templates/{template}/acl/available")
async def get_available(
    db: Db, me: Me, template: UUID, page: Paged, q: str = ""
) -> sdk.ACLAvailable:
    """List whom a template could be shared with."""
    async with db.tx(me) as tx:
        return await access.available(tx, template, q, page)


@routes.patch("/templates/{template}/acl")
async def patch_acl(db: Db, me: Me, template: UUID, request: sdk.UpdateTemplateACL) -> Said:
    """Give and take roles on a template."""
    async with db.tx(me) as tx:
        await access.change(tx, template, request)
    return Said(message="Successfully updated template ACL list.")
