"""Let others in: people, ports, and agents that run outside."""

from uuid import UUID

from fastapi import APIRouter, Response

from coder_cli.sdk.workspaces import (
    DeleteWorkspaceAgentPortShareRequest,
    ExternalAgentCredentials,
    UpdateWorkspaceACL,
    UpsertWorkspaceAgentPortShareRequest,
    WorkspaceACL,
    WorkspaceAgentPortShare,
    WorkspaceAgentPortShares,
)
from server.kit.routing import Db, Me
from server.workspaces import convert
from server.workspaces.actions import external, sharing
from server.workspaces.routes.workspaces import Rules

routes = APIRouter()


@routes.get("/workspaces/{workspace}/acl")
async def get_acl(db: Db, me: Me, workspace: UUID) -> WorkspaceACL:
    """Show whom a workspace is shared with."""
    async with db.tx(me) as tx:
        found, sharers = await sharing.lists(tx, workspace)
        return convert.acl_to_sdk(found, sharers)


@routes.patch("/workspaces/{workspace}/acl", status_code=204)
async def patch_acl(db: Db, me: Me, workspace: UUID, request: UpdateWorkspaceACL) -> None:
    """Give users and groups their roles in a workspace, or take them away."""
    async with db.tx(me) as tx:
        await sharing.change(tx, workspace, convert.share_order(request))


@routes.delete("/workspaces/{workspace}/acl", status_code=204)
async def delete_acl(db: Db, me: Me, workspace: UUID) -> None:
    """Share a workspace with nobody."""
    async with db.tx(me) as tx:
        await sharing.clear(tx, workspace)


@routes.get("/workspaces/{workspace}/port-share")
async def get_port_shares(db: Db, me: Me, workspace: UUID) -> WorkspaceAgentPortShares:
    """List the ports of a workspace that are open to others."""
    async with db.tx(me) as tx:
        found = await sharing.ports(tx, workspace)
    return WorkspaceAgentPortShares(shares=[convert.port_to_sdk(share) for share in found])


@routes.post("/workspaces/{workspace}/port-share")
async def post_port_share(
    db: Db, me: Me, workspace: UUID, request: UpsertWorkspaceAgentPortShareRequest
) -> WorkspaceAgentPortShare:
    """Open a port of a workspace to others, or change to whom."""
    share = convert.port_share(workspace, request)
    async with db.tx(me) as tx:
        await sharing.open_port(tx, share)
    return convert.port_to_sdk(share)


@routes.delete("/workspaces/{workspace}/port-share", response_class=Response)
async def delete_port_share(
    db: Db, me: Me, workspace: UUID, request: DeleteWorkspaceAgentPortShareRequest
) -> Response:
    """Close a port of a workspace to others."""
    async with db.tx(me) as tx:
        await sharing.close_port(tx, workspace, request.agent_name, request.port)
    return Response(status_code=200)


@routes.get("/workspaces/{workspace}/external-agent/{agent}/credentials")
async def get_credentials(
    db: Db, me: Me, rules: Rules, workspace: UUID, agent: str
) -> ExternalAgentCredentials:
    """Show how to start an agent that runs outside."""
    async with db.tx(me) as tx:
        return await external.credentials(tx, workspace, agent, rules)
