"""How builds stand, of every workspace that the watcher may see, as one stream.

Source: reference, API and CLI, section 2.7.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from uuid import UUID

from fastapi import APIRouter, WebSocket

from coder_cli.sdk.workspaces import WorkspaceBuildUpdate
from server.kit.db import Database
from server.kit.errors import NotFound, Unauthorized
from server.kit.pubsub import Mailbox, Pubsub
from server.kit.routing import Authenticator, Me, service
from server.kit.speaking import speak
from server.workspaces.actions import show
from server.workspaces.events import EVERY_WORKSPACE

routes = APIRouter()

REMEMBERED = 10_000
"""Workspaces whose last update is kept, so that it is not sent twice."""
SIGNED_OUT = 4401
TOO_SLOW = 1013


class Updates:
    """What one watcher was told, and is to be told next."""

    def __init__(self, socket: WebSocket, box: Mailbox) -> None:
        self._socket = socket
        self._box = box
        self._told: OrderedDict[UUID, WorkspaceBuildUpdate] = OrderedDict()

    async def stream(self) -> AsyncGenerator[WorkspaceBuildUpdate]:
        """Yield each update once, until the watcher is too slow to hear all of them.

        Raises:
            Unauthorized: the session has ended.
        """
        while not self._box.dropped:
            fact = await self._box.get()
            update = await self._read(UUID(fact["workspace_id"]))
            if update is None or self._told.get(update.workspace_id) == update:
                continue
            self._told[update.workspace_id] = update
            self._told.move_to_end(update.workspace_id)
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            yield update

    async def _read(self, workspace_id: UUID) -> WorkspaceBuildUpdate | None:
        actor = await service(self._socket, Authenticator)(self._socket)
        try:
            async with service(self._socket, Database).tx(actor) as tx:
                return await show.update(tx, workspace_id)
        except NotFound:
            return None


@routes.websocket("/watch-all-workspacebuilds")
async def watch_all(websocket: WebSocket, me: Me) -> None:
    """Send how builds of workspaces go, one JSON object for each change."""
    pubsub = service(websocket, Pubsub)
    with pubsub.mailbox(EVERY_WORKSPACE) as box:
        await websocket.accept()
        await speak(websocket, me.id, _send(websocket, Updates(websocket, box)))


async def _send(websocket: WebSocket, updates: Updates) -> int:
    """Send updates; return the code to close with."""
    try:
        async for update in updates.stream():
            await websocket.send_text(update.model_dump_json())
    except Unauthorized:
        return SIGNED_OUT
    return TOO_SLOW
