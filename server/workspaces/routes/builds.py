"""Builds: order them, follow them, look at what they made."""

import base64
import binascii
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response, WebSocket
from pydantic import AwareDatetime

from coder_cli.sdk.builds import (
    CreateWorkspaceBuildRequest,
    UpdateBuildStateRequest,
    WorkspaceBuild,
    WorkspaceBuildTimings,
    WorkspaceResource,
)
from coder_cli.sdk.common import NameValue
from coder_cli.sdk.common import Response as Answer
from coder_cli.sdk.jobs import ProvisionerJobLog
from server import provisioning
from server.kit.routing import Db, Me, Paged
from server.workspaces import convert, policy
from server.workspaces.actions import asking, change, find, show
from server.workspaces.actions import build as order
from server.workspaces.errors import invalid_field
from server.workspaces.routes.workspaces import Desk, Rules

routes = APIRouter()


def _bytes(text: str) -> bytes:
    """Return what a base64 field of a body carries.

    Raises:
        Invalid: it is no base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise invalid_field("Validation failed.", "state", "must be base64") from None


# Coroutines, for plain dependencies go through a pool of threads.
async def _order(request: CreateWorkspaceBuildRequest) -> convert.BuildOrder:
    return convert.build_order(request, _bytes(request.state) if request.state else None)


async def _state(request: UpdateBuildStateRequest) -> bytes:
    return _bytes(request.state)


Order = Annotated[convert.BuildOrder, Depends(_order)]
State = Annotated[bytes, Depends(_state)]


@routes.get("/workspaces/{workspace}/builds")
async def get_builds(
    db: Db, me: Me, workspace: UUID, page: Paged, since: AwareDatetime | None = None
) -> list[WorkspaceBuild]:
    """List a workspace's builds, newest first."""
    async with db.tx(me) as tx:
        return await show.history(tx, workspace, page, since)


@routes.post("/workspaces/{workspace}/builds", status_code=201)
async def post_build(
    me: Me, desk: Desk, rules: Rules, workspace: UUID, wanted: Order
) -> WorkspaceBuild:
    """Start, stop or delete a workspace."""
    policy.may_debug(wanted, rules)
    answers = await asking.for_build(desk, me, workspace, wanted)
    async with desk.db.tx(me) as tx:
        found = await find.workspace(tx, workspace)
        made = await order.order(tx, found, wanted, answers)
        return await show.build(tx, await find.build(tx, made))


@routes.get("/workspaces/{workspace}/timings")
async def get_workspace_timings(db: Db, me: Me, workspace: UUID) -> WorkspaceBuildTimings:
    """Show what the latest build spent its time on."""
    async with db.tx(me) as tx:
        found = await find.workspace(tx, workspace)
        return await show.build_timings(tx, await find.build(tx, found.latest_build_id))


@routes.get("/workspacebuilds/{build}")
async def get_build(db: Db, me: Me, build: UUID) -> WorkspaceBuild:
    """Show a build."""
    async with db.tx(me) as tx:
        return await show.build(tx, await find.build(tx, build))


@routes.patch("/workspacebuilds/{build}/cancel")
async def patch_cancel(
    db: Db, me: Me, build: UUID, expect_status: Literal["", "pending", "running"] = ""
) -> Answer:
    """Stop a build that is queued or running."""
    async with db.tx(me) as tx:
        await change.cancel(tx, build, expect_status)
    return Answer(message="Job has been marked as canceled...")


@routes.get("/workspacebuilds/{build}/logs")
async def get_logs(
    db: Db, me: Me, build: UUID, lines: provisioning.Lines
) -> list[ProvisionerJobLog]:
    """Show what a build said so far."""
    async with db.tx(me) as tx:
        found = await find.build(tx, build)
        return await provisioning.logs(tx, found.job_id, lines.after, lines.before)


@routes.websocket("/workspacebuilds/{build}/logs")
async def follow_logs(
    websocket: WebSocket, db: Db, me: Me, build: UUID, lines: provisioning.Lines
) -> None:
    """Send what a build says until it ends."""
    async with db.tx(me) as tx:
        found = await find.build(tx, build)
    await provisioning.follow(websocket, me, found.job_id, lines, lambda tx: find.build(tx, build))


@routes.get("/workspacebuilds/{build}/parameters")
async def get_parameters(db: Db, me: Me, build: UUID) -> list[NameValue]:
    """Show the parameter values a build ran with."""
    async with db.tx(me) as tx:
        found = await find.build(tx, build)
        return convert.values_to_sdk(await show.parameters(tx, found))


@routes.get("/workspacebuilds/{build}/resources")
async def get_resources(db: Db, me: Me, build: UUID) -> list[WorkspaceResource]:
    """Show what a build made."""
    async with db.tx(me) as tx:
        return (await show.build(tx, await find.build(tx, build))).resources


@routes.get("/workspacebuilds/{build}/state", response_class=Response)
async def get_state(db: Db, me: Me, build: UUID) -> Response:
    """Return the raw Terraform state after a build."""
    async with db.tx(me) as tx:
        content = await change.state(tx, build)
    return Response(content, media_type="application/octet-stream")


@routes.put("/workspacebuilds/{build}/state", status_code=204)
async def put_state(db: Db, me: Me, build: UUID, content: State) -> None:
    """Replace the Terraform state after a build."""
    async with db.tx(me) as tx:
        await change.set_state(tx, build, content)


@routes.get("/workspacebuilds/{build}/timings")
async def get_timings(db: Db, me: Me, build: UUID) -> WorkspaceBuildTimings:
    """Show what a build spent its time on."""
    async with db.tx(me) as tx:
        return await show.build_timings(tx, await find.build(tx, build))
