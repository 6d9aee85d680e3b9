"""Where machines of a cloud log in: a proof is all it takes, so the rate is that of log-ins."""

from typing import Annotated

from fastapi import APIRouter, Depends

from coder_cli.sdk import agents as sdk
from server.agents.actions import machines
from server.agents.actions.anchors import AnchorShelf
from server.agents.routes.edges import Board
from server.kit.routing import limit_logins, provided, public

routes = APIRouter(
    prefix="/api/v2/workspaceagents",
    tags=["Agents"],
    dependencies=[Depends(public), Depends(limit_logins)],
)
Shelf = Annotated[AnchorShelf, Depends(provided(AnchorShelf))]


@routes.post("/aws-instance-identity")
async def post_aws(
    board: Board, shelf: Shelf, body: sdk.AWSInstanceIdentityToken
) -> sdk.AgentAuthenticated:
    """Return the token of the agent on a machine of AWS."""
    return await machines.by_aws(board, shelf, body)


@routes.post("/azure-instance-identity")
async def post_azure(
    board: Board, shelf: Shelf, body: sdk.AzureInstanceIdentityToken
) -> sdk.AgentAuthenticated:
    """Return the token of the agent on a machine of Azure."""
    return await machines.by_azure(board, shelf, body)


@routes.post("/google-instance-identity")
async def post_google(
    board: Board, shelf: Shelf, body: sdk.GoogleInstanceIdentityToken
) -> sdk.AgentAuthenticated:
    """Return the token of the agent on a machine of Google."""
    return await machines.by_google(board, shelf, body)
