"""A workspace as a stream: the whole of it, again each time something about it changed.

Source: reference, API and CLI, sections 2.1 (wire forms) and 2.13.
"""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from coder_cli.sdk.workspaces import Workspace
from server import identity
from server.kit.db import Database
from server.kit.errors import ApiError
from server.kit.pubsub import Pubsub
from server.kit.routing import Authenticator, Me, error_body, service
from server.kit.speaking import speak
from server.workspaces.actions import find, show
from server.workspaces.events import topic
from server.workspaces.model import WorkspaceRules

log = structlog.get_logger()
routes = APIRouter()

HEARTBEAT_SECONDS = 15.0
"""How long a silent stream goes without a ping, and a lost notification without its effect."""

NORMAL = 1000


class Event(BaseModel):
    """One event, as a WebSocket frame has it."""

    type: Literal["ping", "data", "error"]
    data: Any = None

    def sse(self) -> str:
        """Return the event as server-sent events have it."""
        if self.type == "ping":
            return "event: ping\n\n"
        return f"event: {self.type}\ndata: {json.dumps(self.data)}\n\n"


@dataclass(frozen=True, slots=True)
class Watched:
    """A workspace that somebody watches, and how to ask again whether they may."""

    connection: HTTPConnection
    workspace_id: UUID
    user_id: UUID

    async def read(self) -> Workspace:
        """Return the workspace as it is now, for the watcher as they are now.

        Raises:
            ApiError: it is gone, or hidden from them by now.
        """
        actor = await service(self.connection, Authenticator)(self.connection)
        rules = service(self.connection, WorkspaceRules)
        async with service(self.connection, Database).tx(actor) as tx:
            return await show.workspace_by_id(tx, self.workspace_id, rules, include_deleted=True)

    async def events(self, heartbeat: float = HEARTBEAT_SECONDS) -> AsyncGenerator[Event]:
        """Yield the workspace now and after each change, and pings in between."""
        pubsub = service(self.connection, Pubsub)
        about = (topic(self.workspace_id), identity.access_topic(self.user_id))
        with pubsub.bell(*about) as bell:
            yield Event(type="ping")
            shown: Workspace | None = None
            while True:
                try:
                    now = await self.read()
                except ApiError as refusal:
                    yield Event(type="error", data=error_body(refusal))
                    return
                if now != shown:
                    yield Event(type="data", data=now.model_dump(mode="json"))
                    shown = now
                if not await bell.wait(heartbeat):
                    yield Event(type="ping")


async def _watched(connection: HTTPConnection, me: Me, workspace: UUID) -> Watched:
    async with service(connection, Database).tx(me) as tx:
        found = await find.workspace(tx, workspace)
    return Watched(connection, found.id, me.user_id)


Watching = Annotated[Watched, Depends(_watched)]


@routes.get("/workspaces/{workspace}/watch")
async def watch(watched: Watching) -> StreamingResponse:
    """Send the workspace as server-sent events."""

    async def stream() -> AsyncGenerator[str]:
        async for event in watched.events():
            yield event.sse()

    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(), media_type="text/event-stream", headers=headers)


@routes.websocket("/workspaces/{workspace}/watch-ws")
async def watch_ws(websocket: WebSocket, watched: Watching) -> None:
    """Send the workspace as WebSocket frames; whoever sends something back is cut off."""
    await websocket.accept()
    await speak(websocket, watched.user_id, _send_all(websocket, watched))


async def _send_all(websocket: WebSocket, watched: Watched) -> int:
    """Send events; return the code to close with."""
    async for event in watched.events():
        await websocket.send_text(event.model_dump_json(exclude_none=True))
    return NORMAL
