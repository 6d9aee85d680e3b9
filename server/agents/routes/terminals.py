"""Terminals in a browser: the WebSocket of API clients, on the agent's port for terminals."""

from collections import deque
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket
from typing_extensions import override

from coder_cli.sdk.agentapi import FRAME, Port
from server.agents.actions import streams
from server.agents.model import TerminalWish
from server.agents.routes.edges import Board, ask_again
from server.kit.routing import Me
from server.network import Channel, SocketChannel

routes = APIRouter(prefix="/api/v2/workspaceagents/{agent_id}", tags=["Agents"])
_Side = Annotated[int, Query(ge=0, le=0xFFFF)]


async def _visit(connection: HTTPConnection, agent_id: UUID, me: Me) -> streams.Visit:
    port = int(Port.RECONNECTING_PTY)
    return streams.Visit(me, agent_id, port, ask_again(connection))


async def _size(height: _Side = 80, width: _Side = 80) -> tuple[int, int]:
    return height, width


async def _wish(
    reconnect: UUID,
    size: Annotated[tuple[int, int], Depends(_size)],
    command: str = "",
    container: Annotated[str, Query(max_length=255)] = "",
    container_user: Annotated[str, Query(max_length=64)] = "",
    backend_type: Literal["", "screen", "buffered"] = "",
) -> TerminalWish:
    return TerminalWish(reconnect, *size, command, container, container_user, backend_type)


class KeyChannel(SocketChannel):
    """What people type: text frames or binary ones, of any size; none of them ends anything."""

    def __init__(self, websocket: WebSocket) -> None:
        super().__init__(websocket)
        self._pieces: deque[bytes] = deque()

    @override
    async def receive(self) -> bytes:
        """Return the next keys."""
        while not self._pieces:
            keys = await self.receive_any()
            self._pieces.extend(keys[at : at + FRAME] for at in range(0, len(keys), FRAME))
        return self._pieces.popleft()


async def _accepted(websocket: WebSocket) -> Channel:
    await websocket.accept()
    return KeyChannel(websocket)


@routes.websocket("/pty")
async def pty(
    websocket: WebSocket,
    board: Board,
    visit: Annotated[streams.Visit, Depends(_visit)],
    wish: Annotated[TerminalWish, Depends(_wish)],
) -> None:
    """Show a terminal of the agent; one that is there already goes on where it was."""
    accept = partial(_accepted, websocket)
    await streams.serve(board, visit, accept, first=wish.first_words())
