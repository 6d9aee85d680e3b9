"""Live forms: a WebSocket that answers each change, and its twin for one answer.

Source: reference, agent and provisioner, section 6.1.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from coder_cli.sdk.forms import DynamicParametersRequest, DynamicParametersResponse
from server.kit.errors import ApiError
from server.kit.routing import Authenticator, Db, Me, provided, service
from server.templates import convert
from server.templates.actions.forms import FormDesk, finished
from server.templates.model.forms import check_inputs

log = structlog.get_logger()
routes = APIRouter()

LIFETIME_SECONDS = 30 * 60.0
FIRST = DynamicParametersRequest(id=-1)
"""What the server answers unasked."""

_NORMAL, _NOT_UNDERSTOOD, _HIDDEN = 1000, 1003, 1008
_LONGEST_REASON = 100

Desk = Annotated[FormDesk, Depends(provided(FormDesk))]


async def _checked(request: DynamicParametersRequest) -> DynamicParametersRequest:
    check_inputs(request.inputs)
    return request


@routes.post("/templateversions/{version}/dynamic-parameters/evaluate")
async def post_evaluate(
    me: Me,
    desk: Desk,
    version: UUID,
    request: Annotated[DynamicParametersRequest, Depends(_checked)],
) -> DynamicParametersResponse:
    """Evaluate a version's form for some answers."""
    with desk.seat(me.user_id):
        form = await desk.show(me, version, request.owner_id, request.inputs)
    return convert.form_to_sdk(request.id, form)


@routes.websocket("/templateversions/{version}/dynamic-parameters")
async def live_form(
    websocket: WebSocket, db: Db, me: Me, desk: Desk, version: UUID, user_id: UUID | None = None
) -> None:
    """Send a version's form at once, and again for each change of the answers."""
    async with db.tx(me) as tx:
        await finished(tx, version)
    with desk.seat(me.user_id):
        await websocket.accept()
        code, reason = await _Session(websocket, desk, version, user_id).run()
    if websocket.client_state is websocket.application_state is WebSocketState.CONNECTED:
        await websocket.close(code, reason)


@dataclass(slots=True)
class _Newest:
    """Keeps the newest request: what somebody typed over is not answered."""

    _request: DynamicParametersRequest | None = None
    _there: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, request: DynamicParametersRequest) -> None:
        self._request = request
        self._there.set()

    async def take(self) -> DynamicParametersRequest:
        await self._there.wait()
        self._there.clear()
        assert self._request is not None
        return self._request


@dataclass(slots=True)
class _Session:
    """One open form."""

    websocket: WebSocket
    desk: FormDesk
    version_id: UUID
    owner_id: UUID | None
    """Whom it is for as long as a request names nobody; None is who asks."""
    _newest: _Newest = field(default_factory=_Newest)

    async def run(self) -> tuple[int, str]:
        """Answer until the client leaves, errs, or time is up; return how to close."""
        done: set[asyncio.Task[tuple[int, str]]] = set()
        try:
            async with asyncio.TaskGroup() as group:
                ways = [group.create_task(self._hear()), group.create_task(self._answer())]
                done, _ = await asyncio.wait(
                    ways, timeout=LIFETIME_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for way in ways:
                    way.cancel()
        except* WebSocketDisconnect:
            log.debug("a form was closed", version_id=str(self.version_id))
        for way in done:
            if not way.cancelled() and way.exception() is None:
                return way.result()
        return _NORMAL, "Forms stay open for 30 minutes; open it again."

    async def _hear(self) -> tuple[int, str]:
        while True:
            message = await self.websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", _NORMAL))
            try:
                text = message.get("text") or message.get("bytes") or ""
                request = DynamicParametersRequest.model_validate_json(text)
                check_inputs(request.inputs)
            except ValidationError as error:
                where = ".".join(str(part) for part in error.errors()[0]["loc"])
                said = f"{where}: {error.errors()[0]['msg']}".removeprefix(": ")
                return _NOT_UNDERSTOOD, said[:_LONGEST_REASON]
            except ApiError as refusal:
                return _NOT_UNDERSTOOD, refusal.message[:_LONGEST_REASON]
            self._newest.put(request)

    async def _answer(self) -> tuple[int, str]:
        # Nothing overtakes the first answer, however soon a client asks.
        request = FIRST
        while True:
            owner = request.owner_id or self.owner_id
            try:
                # Rights are asked again with each answer: a form stays open for long.
                me = await service(self.websocket, Authenticator)(self.websocket)
                form = await self.desk.show(me, self.version_id, owner, request.inputs)
            except ApiError as refusal:
                return _HIDDEN, refusal.message[:_LONGEST_REASON]
            answer = convert.form_to_sdk(request.id, form)
            await self.websocket.send_text(answer.model_dump_json())
            request = await self._newest.take()
