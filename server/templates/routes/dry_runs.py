"""Dry runs of versions: begun, watched, cancelled."""

from uuid import UUID

from fastapi import APIRouter, WebSocket

from coder_cli.sdk import templates as sdk
from coder_cli.sdk.builds import WorkspaceResource
from coder_cli.sdk.common import Response as Said
from coder_cli.sdk.jobs import MatchedProvisioners, ProvisionerJob, ProvisionerJobLog
from server import provisioning
from server.kit.routing import Db, Me
from server.provisioning import Lines
from server.templates.actions import dry_running
from server.templates.routes.forms import Desk

routes = APIRouter()


@routes.post("/templateversions/{version}/dry-run", status_code=201)
async def post_dry_run(
    db: Db, me: Me, desk: Desk, version: UUID, request: sdk.CreateTemplateVersionDryRunRequest
) -> ProvisionerJob:
    """Plan a build of a version; nothing is applied."""
    resolved = await desk.resolve(me, version, me.user_id, dry_running.values(request))
    async with db.tx(me) as tx:
        return await dry_running.start(tx, version, request, resolved)


@routes.get("/templateversions/{version}/dry-run/{job}")
async def get_dry_run(db: Db, me: Me, version: UUID, job: UUID) -> ProvisionerJob:
    """Show a dry run."""
    async with db.tx(me) as tx:
        return await dry_running.find(tx, version, job)


@routes.get("/templateversions/{version}/dry-run/{job}/resources")
async def get_dry_run_resources(
    db: Db, me: Me, version: UUID, job: UUID
) -> list[WorkspaceResource]:
    """List what a dry run planned."""
    async with db.tx(me) as tx:
        found = await dry_running.finished(tx, version, job)
        return (await provisioning.resources(tx, [found.id])).get(found.id, [])


@routes.get("/templateversions/{version}/dry-run/{job}/matched-provisioners")
async def get_dry_run_provisioners(db: Db, me: Me, version: UUID, job: UUID) -> MatchedProvisioners:
    """Count the daemons that could run a dry run."""
    async with db.tx(me) as tx:
        found = await dry_running.find(tx, version, job)
        return await provisioning.matched_provisioners(tx, found.organization_id, found.tags)


@routes.get("/templateversions/{version}/dry-run/{job}/logs")
async def get_dry_run_logs(
    db: Db, me: Me, version: UUID, job: UUID, lines: Lines
) -> list[ProvisionerJobLog]:
    """Return what a dry run said so far."""
    async with db.tx(me) as tx:
        found = await dry_running.find(tx, version, job)
        return await provisioning.logs(tx, found.id, lines.after, lines.before)


@routes.websocket("/templateversions/{version}/dry-run/{job}/logs")
async def follow_dry_run_logs(
    websocket: WebSocket, db: Db, me: Me, version: UUID, job: UUID, lines: Lines
) -> None:
    """Send what a dry run says until it ends."""
    async with db.tx(me) as tx:
        found = await dry_running.find(tx, version, job)
    await provisioning.follow(
        websocket, me, found.id, lines, lambda tx: dry_running.find(tx, version, job)
    )


@routes.patch("/templateversions/{version}/dry-run/{job}/cancel")
async def patch_cancel_dry_run(db: Db, me: Me, version: UUID, job: UUID) -> Said:
    """Stop a dry run."""
    async with db.tx(me) as tx:
        await dry_running.cancel(tx, version, job)
    return Said(message="Job has been marked as canceled...")
