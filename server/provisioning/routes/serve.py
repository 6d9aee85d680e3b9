"""Where provisioner daemons of other machines come in."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Query, WebSocket
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from coder_cli.sdk.provisioners import KEY_HEADER, PSK_HEADER
from server.kit.routing import (
    Authenticator,
    current_actor,
    limit_logins,
    provided,
    public,
    service,
    session_token,
)
from server.provisioning.actions.arriving import Credentials, Hall, Knock, admit
from server.provisioning.actions.serving import Service
from server.provisioning.errors import BadKey, LineEnded
from server.provisioning.model import Guest

log = structlog.get_logger()

serve = APIRouter()
_CLOSE_WITHIN = 2.0

Rooms = Annotated[Hall, Depends(provided(Hall))]


async def _knock(
    organization: str,
    name: str = "",
    tag: Annotated[list[str] | None, Query()] = None,
    line: str = "",
    version: Annotated[str, Query(max_length=100)] = "",
) -> Knock:
    return Knock(organization, name, _tags(tag or []), line, version)


def _tags(given: list[str]) -> Mapping[str, str]:
    tags: dict[str, str] = {}
    for word in given:
        key, equals, value = word.partition("=")
        if not equals:
            raise BadKey("tag", "a tag has the form key=value")
        tags[key] = value
    return tags


async def _shown(connection: HTTPConnection) -> Credentials:
    key, psk = (connection.headers.get(name, "") for name in (KEY_HEADER, PSK_HEADER))
    by_session = not key and not psk
    return Credentials(key, psk, await current_actor(connection) if by_session else None)


async def _arriving(
    rooms: Rooms,
    knock: Annotated[Knock, Depends(_knock)],
    shown: Annotated[Credentials, Depends(_shown)],
) -> Guest:
    return await admit(rooms, knock, shown)


@serve.websocket(
    "/organizations/{organization}/provisionerdaemons/serve",
    # A key, the shared key or a session: whoever comes shows one of them.
    dependencies=[Depends(public), Depends(limit_logins)],
)
async def serve_daemon(
    websocket: WebSocket,
    rooms: Rooms,
    guest: Annotated[Guest, Depends(_arriving)],
    knock: Annotated[Knock, Depends(_knock)],
) -> None:
    """Give jobs to a provisioner daemon of another machine."""

    async def still() -> Guest:
        shown = await _shown_again(websocket)
        return await admit(rooms, knock, shown)

    frames = SocketFrames(websocket)
    daemon = Service(rooms, guest, frames, still)
    await daemon.arrive()
    await websocket.accept()
    log.info("a provisioner daemon came", daemon=guest.name, version=guest.version)
    ended = await daemon.run()
    log.info("a provisioner daemon went", daemon=guest.name, reason=str(ended))
    await frames.close(ended)


async def _shown_again(websocket: WebSocket) -> Credentials:
    """Return what was shown, as it is worth now: a session may have ended."""
    key, psk = (websocket.headers.get(name, "") for name in (KEY_HEADER, PSK_HEADER))
    if key or psk or not session_token(websocket):
        return Credentials(key, psk, None)
    return Credentials("", "", await service(websocket, Authenticator)(websocket))


class SocketFrames:
    """An accepted WebSocket as one end of a line."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def send(self, frame: str | bytes) -> None:
        """Send one frame."""
        kind = "text" if isinstance(frame, str) else "bytes"
        try:
            await self._websocket.send({"type": "websocket.send", kind: frame})
        except (WebSocketDisconnect, RuntimeError):
            raise LineEnded("the daemon is gone") from None

    async def receive(self) -> str | bytes:
        """Return the next frame."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise LineEnded(message.get("reason") or "the daemon is gone")
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    async def close(self, ended: LineEnded) -> None:
        """End the line with a reason."""
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self._websocket.close(ended.code, str(ended)[:100])
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return
