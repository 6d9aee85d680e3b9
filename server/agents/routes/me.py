"""What an agent calls with its own token."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocket

from coder_cli.sdk import agents as sdk
from coder_cli.sdk.external_auth import AgentExternalAuth
from server.agents import convert
from server.agents.actions import control, external_auth, outside, read, reinit
from server.agents.routes.edges import (
    ArrivingAgent,
    Board,
    CallingAgent,
    LineVersion,
    TextWire,
    accepted,
    server_sent_event,
)
from server.identity import Linker
from server.kit.routing import agent_only, provided

routes = APIRouter(
    prefix="/api/v2/workspaceagents/me", tags=["Agents"], dependencies=[Depends(agent_only)]
)
StreamId = Annotated[str, Path(max_length=100, pattern=r"^[0-9a-f]{32}\.[A-Za-z0-9_-]+$")]


@routes.websocket("/rpc")
async def rpc(
    websocket: WebSocket, version: LineVersion, caller: ArrivingAgent, role: str = ""
) -> None:
    """Be the control line of an agent."""
    await websocket.accept()
    await control.serve(caller, TextWire(websocket), version=version, role=role)


@routes.websocket("/streams/{stream_id}")
async def stream(
    websocket: WebSocket, stream_id: StreamId, caller: CallingAgent, board: Board
) -> None:
    """Take a stream that the agent dialled back."""
    async with board.relay.taking(stream_id, caller.identity.agent_id) as take:
        await take(await accepted(websocket))


@routes.get("/reinit")
async def get_reinit(caller: CallingAgent) -> StreamingResponse:
    """Tell an agent when to begin anew; until then, that the line is there."""
    return StreamingResponse(_reinit_events(caller), media_type="text/event-stream")


async def _reinit_events(caller: CallingAgent) -> AsyncGenerator[str]:
    async with aclosing(reinit.words(caller)) as words:
        async for word in words:
            yield server_sent_event(*convert.reinit(word))


@routes.patch("/logs")
async def patch_logs(caller: CallingAgent, body: sdk.PatchAgentLogs) -> None:
    """Write lines of a log."""
    await outside.write_logs(caller, body)


@routes.post("/log-source")
async def post_log_source(
    caller: CallingAgent, body: sdk.PostLogSourceRequest
) -> sdk.WorkspaceAgentLogSource:
    """Name a writer of lines."""
    return await outside.name_source(caller, body)


@routes.patch("/app-status")
async def patch_app_status(caller: CallingAgent, body: sdk.PatchAppStatus) -> None:
    """Say what an app is doing."""
    await outside.app_status(caller, body)


@routes.get("/gitsshkey")
async def get_git_ssh_key(caller: CallingAgent, board: Board) -> sdk.AgentGitSSHKey:
    """Return the key pair of the workspace's owner."""
    return await read.git_key(board, caller.identity)


@routes.get("/external-auth")
@routes.get("/gitauth")
async def get_external_auth(
    caller: CallingAgent,
    board: Board,
    linker: Annotated[Linker, Depends(provided(Linker))],
    asked: Annotated[external_auth.Asked, Depends()],
) -> AgentExternalAuth:
    """Return a token of the owner's at another service, or the page to link an account at."""
    return await external_auth.external_auth(board, linker, caller.identity, asked)
