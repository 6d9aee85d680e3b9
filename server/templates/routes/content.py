"""What a version asks for and plans, and what its import said."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, WebSocket

from coder_cli.sdk import templates as sdk
from coder_cli.sdk.builds import WorkspaceResource
from coder_cli.sdk.jobs import ProvisionerJobLog
from server import provisioning
from server.identity import Linker
from server.kit.routing import Db, Me, provided
from server.provisioning import Lines
from server.templates.actions import show
from server.templates.actions.read import version as find

routes = APIRouter()


@routes.get("/templateversions/{version}/rich-parameters")
async def get_parameters(db: Db, me: Me, version: UUID) -> list[sdk.TemplateVersionParameter]:
    """List what a version asks for each workspace."""
    async with db.tx(me) as tx:
        return await show.parameters(tx, version)


@routes.get("/templateversions/{version}/variables")
async def get_variables(db: Db, me: Me, version: UUID) -> list[sdk.TemplateVersionVariable]:
    """List a version's Terraform variables; secrets are blank."""
    async with db.tx(me) as tx:
        return await show.variables(tx, version)


@routes.get("/templateversions/{version}/presets")
async def get_presets(db: Db, me: Me, version: UUID) -> list[sdk.Preset]:
    """List a version's presets."""
    async with db.tx(me) as tx:
        return await show.presets(tx, version)


@routes.get("/templateversions/{version}/external-auth")
async def get_external_auth(
    db: Db, me: Me, version: UUID, linker: Annotated[Linker, Depends(provided(Linker))]
) -> list[sdk.TemplateVersionExternalAuth]:
    """List the sign-ins that a version asks for."""
    return await show.external_auth(db, me, linker, version)


@routes.get("/templateversions/{version}/resources")
async def get_resources(db: Db, me: Me, version: UUID) -> list[WorkspaceResource]:
    """List what a version's import planned."""
    async with db.tx(me) as tx:
        return await show.resources(tx, version)


@routes.get("/templateversions/{version}/logs")
async def get_logs(db: Db, me: Me, version: UUID, lines: Lines) -> list[ProvisionerJobLog]:
    """Return what a version's import said so far."""
    async with db.tx(me) as tx:
        found = await find(tx, version)
        return await provisioning.logs(tx, found.job_id, lines.after, lines.before)


@routes.websocket("/templateversions/{version}/logs")
async def follow_logs(websocket: WebSocket, db: Db, me: Me, version: UUID, lines: Lines) -> None:
    """Send what a version's import says until it ends."""
    async with db.tx(me) as tx:
        found = await find(tx, version)
    await provisioning.follow(websocket, me, found.job_id, lines, lambda tx: find(tx, version))


@routes.get("/templateversions/{version}/schema", deprecated=True)
async def get_schema(db: Db, me: Me, version: UUID) -> list[None]:
    """Return nothing: versions have had no schema since parameters became rich."""
    async with db.tx(me) as tx:
        await find(tx, version)
    return []


@routes.get("/templateversions/{version}/parameters", deprecated=True)
async def get_legacy_parameters(db: Db, me: Me, version: UUID) -> list[None]:
    """Return nothing: the parameters of old are gone; see ``rich-parameters``."""
    async with db.tx(me) as tx:
        await find(tx, version)
    return []
