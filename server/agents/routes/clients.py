"""What clients read of an agent, and their way into it."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocket

from coder_cli.sdk import agents as sdk
from server.agents.actions import logs, ports, read, streams, watching
from server.agents.model import LogRange
from server.agents.routes.edges import (
    Board,
    Visiting,
    Watching,
    accepted,
    push,
    server_sent,
)
from server.kit.routing import Db, Me

routes = APIRouter(prefix="/api/v2/workspaceagents/{agent_id}", tags=["Agents"])


async def _range(
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> LogRange:
    return LogRange(after, before or None)


Wanted = Annotated[LogRange, Depends(_range)]


@routes.get("")
async def get_agent(db: Db, me: Me, agent_id: UUID) -> sdk.WorkspaceAgent:
    """Return an agent."""
    async with db.tx(me) as tx:
        return await read.agent(tx, agent_id)


@routes.get("/connection")
async def get_connection(db: Db, me: Me, board: Board, agent_id: UUID) -> sdk.AgentConnectionInfo:
    """Return how to reach an agent."""
    async with db.tx(me) as tx:
        return await read.connection(board, tx, agent_id)


@routes.get("/listening-ports")
async def get_listening_ports(
    board: Board, me: Me, agent_id: UUID
) -> sdk.WorkspaceAgentListeningPorts:
    """Return the ports that somebody in the workspace listens on."""
    return await ports.listening(board, me, agent_id)


@routes.get("/logs")
@routes.get("/startup-logs")
async def get_logs(db: Db, me: Me, agent_id: UUID, wanted: Wanted) -> list[sdk.WorkspaceAgentLog]:
    """Return lines of an agent's log."""
    async with db.tx(me) as tx:
        return await logs.read(tx, agent_id, wanted)


@routes.websocket("/logs")
@routes.websocket("/startup-logs")
async def follow_logs(
    websocket: WebSocket, board: Board, watcher: Watching, wanted: Wanted
) -> None:
    """Send lines of an agent's log as they come, each frame an array of them."""
    await watching.require_sight(board, watcher)
    found = logs.follow(board, watcher.actor, watcher.agent_id, wanted)
    await push(websocket, _arrays(found), watching.until_hidden(board, watcher))


@routes.websocket("/watch-metadata-ws")
async def watch_metadata(websocket: WebSocket, board: Board, watcher: Watching) -> None:
    """Send an agent's metadata now and whenever it changes."""
    await watching.require_sight(board, watcher)
    found = read.watch_metadata(board, watcher)
    await push(websocket, _typed(_arrays(found)), watching.until_hidden(board, watcher))


@routes.get("/watch-metadata")
async def get_metadata_events(board: Board, watcher: Watching) -> StreamingResponse:
    """Send an agent's metadata as server-sent events."""
    await watching.require_sight(board, watcher)
    found = read.watch_metadata(board, watcher)
    return StreamingResponse(server_sent("data", _arrays(found)), media_type="text/event-stream")


@routes.websocket("/stream")
async def stream(websocket: WebSocket, board: Board, visit: Visiting) -> None:
    """Join the client to a port of the agent; binary frames both ways."""
    await streams.serve(board, visit, partial(accepted, websocket))


async def _arrays(items: AsyncGenerator[Sequence[BaseModel]]) -> AsyncGenerator[str]:
    async with aclosing(items):
        async for item in items:
            yield json.dumps([shape.model_dump(mode="json") for shape in item])


async def _typed(arrays: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async with aclosing(arrays):
        async for array in arrays:
            yield f'{{"type":"data","data":{array}}}'
