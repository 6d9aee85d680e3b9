"""What people change about a workspace without building it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from coder_cli.sdk.common import Response as Answer
from coder_cli.sdk.workspaces import (
    PostWorkspaceUsageRequest,
    PutExtendWorkspaceRequest,
    ResolveAutostartResponse,
    UpdateWorkspaceAutomaticUpdatesRequest,
    UpdateWorkspaceAutostartRequest,
    UpdateWorkspaceDormancy,
    UpdateWorkspaceRequest,
    UpdateWorkspaceTTLRequest,
    Workspace,
)
from server.kit.routing import Db, Me
from server.workspaces.actions import asking, change, show, timetable
from server.workspaces.routes.workspaces import Desk, Rules

routes = APIRouter()


@routes.patch("/workspaces/{workspace}", status_code=204)
async def patch_workspace(
    db: Db, me: Me, rules: Rules, workspace: UUID, request: UpdateWorkspaceRequest
) -> None:
    """Rename a workspace, where the deployment allows that."""
    async with db.tx(me) as tx:
        await change.rename(tx, workspace, request.name, rules)


@routes.put("/workspaces/{workspace}/autostart", status_code=204)
async def put_autostart(
    db: Db, me: Me, workspace: UUID, request: UpdateWorkspaceAutostartRequest
) -> None:
    """Say when the workspace starts by itself."""
    async with db.tx(me) as tx:
        await timetable.set_autostart(tx, workspace, request.schedule or "")


@routes.put("/workspaces/{workspace}/ttl", status_code=204)
async def put_ttl(db: Db, me: Me, workspace: UUID, request: UpdateWorkspaceTTLRequest) -> None:
    """Say how long the workspace runs after a start."""
    async with db.tx(me) as tx:
        await timetable.set_ttl(tx, workspace, request.ttl_ms)


@routes.put("/workspaces/{workspace}/extend")
async def put_extend(db: Db, me: Me, workspace: UUID, request: PutExtendWorkspaceRequest) -> Answer:
    """Move when the running workspace stops by itself."""
    async with db.tx(me) as tx:
        await timetable.extend(tx, workspace, request.deadline)
    moment = request.deadline.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Answer(message=f"Deadline updated to {moment}.")


@routes.put("/workspaces/{workspace}/dormant", response_model=Workspace)
async def put_dormant(
    db: Db, me: Me, rules: Rules, workspace: UUID, request: UpdateWorkspaceDormancy
) -> Workspace | Response:
    """Put a workspace to sleep, or wake it; 304 when it is so already."""
    async with db.tx(me) as tx:
        changed = await change.set_dormant(tx, workspace, dormant=request.dormant)
        shown = await show.workspace_by_id(tx, workspace, rules)
    return shown if changed else Response(status_code=304)


@routes.put("/workspaces/{workspace}/favorite", status_code=204)
async def put_favorite(db: Db, me: Me, workspace: UUID) -> None:
    """See a workspace first in lists."""
    async with db.tx(me) as tx:
        await change.set_favorite(tx, workspace, favorite=True)


@routes.delete("/workspaces/{workspace}/favorite", status_code=204)
async def delete_favorite(db: Db, me: Me, workspace: UUID) -> None:
    """See a workspace first no longer."""
    async with db.tx(me) as tx:
        await change.set_favorite(tx, workspace, favorite=False)


@routes.put("/workspaces/{workspace}/autoupdates", status_code=204)
async def put_autoupdates(
    db: Db, me: Me, workspace: UUID, request: UpdateWorkspaceAutomaticUpdatesRequest
) -> None:
    """Say whether starts move to the template's active version."""
    async with db.tx(me) as tx:
        await change.set_updates(tx, workspace, request.automatic_updates)


@routes.get("/workspaces/{workspace}/resolve-autostart")
async def get_resolve_autostart(me: Me, desk: Desk, workspace: UUID) -> ResolveAutostartResponse:
    """Tell whether an automatic start would fail for want of parameters."""
    mismatch = await asking.mismatch(desk, me, workspace)
    return ResolveAutostartResponse(parameter_mismatch=mismatch)


@routes.post("/workspaces/{workspace}/usage", status_code=204)
async def post_usage(
    db: Db,
    me: Me,
    workspace: UUID,
    request: Annotated[PostWorkspaceUsageRequest | None, Body()] = None,
) -> None:
    """Take note that the workspace is being used."""
    used = request or PostWorkspaceUsageRequest()
    async with db.tx(me) as tx:
        await change.post_usage(tx, workspace, used.agent_id, used.app_name)
