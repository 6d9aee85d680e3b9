"""WebSockets on which only the server speaks."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import structlog
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

log = structlog.get_logger()

PROTOCOL_ERROR = 1002


async def speak(
    websocket: WebSocket, user_id: UUID | None, saying: Coroutine[Any, Any, int]
) -> None:
    """Say it all, then close with the code that ``saying`` returns; who talks back is cut off."""
    code = PROTOCOL_ERROR
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(saying)
            hearing = group.create_task(websocket.receive())
            await asyncio.wait((sending, hearing), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                code = sending.result()
            sending.cancel()
            hearing.cancel()
    except* WebSocketDisconnect:
        log.debug("a watcher left", path=websocket.url.path, user_id=str(user_id))
    if websocket.client_state is websocket.application_state is WebSocketState.CONNECTED:
        await websocket.close(code)
