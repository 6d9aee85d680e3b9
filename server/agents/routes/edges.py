"""What the routes of this room share: who calls, and WebSockets as the actions see them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from coder_cli.sdk.agentapi import VERSION
from server.agents.actions.authenticate import authenticate, authenticate_patiently
from server.agents.actions.calls import Caller
from server.agents.actions.streams import Visit, WhoAsks
from server.agents.actions.switchboard import Switchboard
from server.agents.actions.watching import Watcher
from server.agents.model import check_version
from server.kit.routing import Authenticator, Me, provided, service, session_token
from server.network import Channel, Closed, SocketChannel, first

Board = Annotated[Switchboard, Depends(provided(Switchboard))]
_GONE = 1001
_CLOSE_WITHIN = 2.0


async def _caller(connection: HTTPConnection, board: Board) -> Caller:
    return Caller(board, await authenticate(board, session_token(connection)))


async def _patient_caller(connection: HTTPConnection, board: Board) -> Caller:
    return Caller(board, await authenticate_patiently(board, session_token(connection)))


async def _version(version: str = VERSION) -> str:
    check_version(version)
    return version


def ask_again(connection: HTTPConnection) -> WhoAsks:
    """Return how to ask once more who is at the other end."""
    authenticator = service(connection, Authenticator)
    return lambda: authenticator(connection)


async def _visit(connection: HTTPConnection, agent_id: UUID, port: int, me: Me) -> Visit:
    return Visit(me, agent_id, port, ask_again(connection))


async def _watcher(connection: HTTPConnection, agent_id: UUID, me: Me) -> Watcher:
    return Watcher(me, agent_id, ask_again(connection))


CallingAgent = Annotated[Caller, Depends(_caller)]
"""The agent whose token the request carries."""
ArrivingAgent = Annotated[Caller, Depends(_patient_caller)]
"""The same; waits for an agent whose build is about to make it known."""
LineVersion = Annotated[str, Depends(_version)]
Visiting = Annotated[Visit, Depends(_visit)]
Watching = Annotated[Watcher, Depends(_watcher)]


class TextWire:
    """A WebSocket of text frames, already accepted."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str:
        """Return the next frame."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise Closed(message.get("code", _GONE), message.get("reason") or "")
        text: str | None = message.get("text")
        if text is None:
            raise Closed(1003, "the control line carries text frames only")
        return text

    async def send(self, text: str) -> None:
        """Send a frame."""
        try:
            await self._websocket.send({"type": "websocket.send", "text": text})
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Closed(_GONE) from error

    async def close(self, code: int, reason: str) -> None:
        """End the line."""
        try:
            # Somebody who does not read cannot be told; returning from the app drops the socket.
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self._websocket.close(code, reason[:100])
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return


async def accepted(websocket: WebSocket) -> Channel:
    """Accept a WebSocket as one end of a stream."""
    await websocket.accept()
    return SocketChannel(websocket)


async def push(websocket: WebSocket, frames: AsyncGenerator[str], until: Awaitable[None]) -> None:
    """Send frames until there are no more, the client goes, or ``until`` returns."""
    await websocket.accept()
    wire = TextWire(websocket)
    await first([_send_all(wire, frames), _until_gone(wire), until])
    await wire.close(1000, "")


async def _send_all(wire: TextWire, frames: AsyncGenerator[str]) -> None:
    try:
        async for frame in frames:
            await wire.send(frame)
    except Closed:
        return
    finally:
        await frames.aclose()


async def _until_gone(wire: TextWire) -> None:
    try:
        while True:
            await wire.receive()
    except Closed:
        return


async def server_sent(kind: str, items: AsyncGenerator[str]) -> AsyncGenerator[str]:
    """Yield items, JSON already, as server-sent events of one kind."""
    async with aclosing(items):
        async for item in items:
            yield server_sent_event(kind, item)


def server_sent_event(kind: str, item: str) -> str:
    """Return one event; ``item`` is JSON already."""
    return f"event: {kind}\ndata: {item}\n\n"
