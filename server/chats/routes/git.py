"""What changed in the repositories that a chat works on, as its workspace's agent tells it.

Source: reference, chats, section 2.9.
"""

import asyncio
import json
from typing import Any, cast
from uuid import UUID

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from coder_cli.sdk.agentapi import git
from server.agents import AgentSocket, Dialer, Switchboard, open_socket
from server.chats.actions import gitwatching
from server.chats.actions.gitwatching import Watcher
from server.kit.pubsub import Pubsub
from server.kit.routing import Authenticator, Db, Me, service
from server.network import Closed

log = structlog.get_logger()
routes = APIRouter(prefix="/{chat}")

LONGEST = 4096
"""Characters of what a client says: it has little to say."""
GOING_AWAY, FORBIDDEN = 1001, 4403


@routes.websocket("/git/watch")
@routes.websocket("/stream/git")
async def watch_git(websocket: WebSocket, me: Me, db: Db, chat: UUID) -> None:
    """Send changes as they are found; ``{"type": "refresh"}`` has the agent look now."""
    async with db.tx(me) as tx:
        watched = await gitwatching.watched(tx, chat)
    dialer = Dialer(service(websocket, Switchboard))
    target = f"{git.WATCH}?chat_id={chat}"
    headers = watched.chat.headers()
    async with open_socket(
        dialer, watched.agent_id, target, headers, git.LARGEST_MESSAGE
    ) as socket:
        await websocket.accept()
        pubsub = service(websocket, Pubsub)
        watcher = Watcher(me.user_id, lambda: service(websocket, Authenticator)(websocket))
        async with asyncio.TaskGroup() as group:
            lost = group.create_task(gitwatching.until_lost(db, pubsub, watcher, watched))
            ways = [
                lost,
                group.create_task(_down(websocket, socket)),
                group.create_task(_up(websocket, socket)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
    if websocket.client_state is websocket.application_state is WebSocketState.CONNECTED:
        gone = lost.done() and not lost.cancelled()
        await websocket.close(FORBIDDEN if gone else GOING_AWAY)


async def _down(websocket: WebSocket, socket: AgentSocket) -> None:
    try:
        while True:
            await websocket.send_text(await socket.receive())
    except (Closed, WebSocketDisconnect) as end:
        log.debug("a watch of git ended", reason=str(end))


async def _up(websocket: WebSocket, socket: AgentSocket) -> None:
    try:
        while True:
            said = await websocket.receive()
            if said["type"] == "websocket.disconnect":
                return
            if _is_refresh(said.get("text") or ""):
                await socket.send(json.dumps({"type": git.REFRESH}))
            else:
                error = {"type": git.ERROR, "message": git.UNKNOWN_TYPE}
                await websocket.send_text(json.dumps(error))
    except (Closed, WebSocketDisconnect) as end:
        log.debug("a watch of git ended", reason=str(end))


def _is_refresh(text: str) -> bool:
    try:
        said: Any = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and cast("dict[str, Any]", said).get("type") == git.REFRESH
