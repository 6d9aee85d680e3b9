"""A job's log as an array, or as a WebSocket that stays until the job ends.

Rooms above have the paths and ask who may read; this is what their routes share.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Query, WebSocket
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect, WebSocketState

from coder_cli.kit.clock import Clock, SystemClock
from server.identity import access_topic
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.errors import ApiError, FieldError, Invalid, Unavailable
from server.kit.pubsub import Pubsub
from server.kit.routing import Authenticator, service
from server.provisioning import convert
from server.provisioning.events import job_topic
from server.provisioning.model import ENDED, StoredLine
from server.provisioning.store import jobs as store
from server.provisioning.store import logs as log_store

log = structlog.get_logger()

BATCH = 1000
POLL_SECONDS = 5.0
"""How long a lost notification can delay a line."""
LOOK_SECONDS = 10.0
"""Seconds between looks at a right that nobody said has changed."""
HIDDEN = 1008

StillSeen = Callable[[Tx], Awaitable[object]]
"""Finds, for the actor of a unit of work, what the job is about. Raises when it is hidden."""


@dataclass(frozen=True, slots=True)
class LogRange:
    """Which lines of a log are wanted, by their ids, both ends excluded."""

    after: int = 0
    before: int | None = None


def _log_range(
    connection: HTTPConnection,
    after: Annotated[int, Query(ge=0)] = 0,
    before: Annotated[int | None, Query(ge=0)] = None,
) -> LogRange:
    follow = connection.query_params.get("follow")
    if follow not in (None, "false") and connection.scope["type"] == "http":
        detail = "Following a log needs a WebSocket; leave this out to get what is there."
        raise Invalid("The log cannot be followed.", fields=[FieldError("follow", detail)])
    return LogRange(after, before)


Lines = Annotated[LogRange, Depends(_log_range)]
"""A route's ``after`` and ``before``; refuses ``follow`` where there is no WebSocket."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines are read, and for whom."""

    db: Database
    pubsub: Pubsub
    actor: Actor
    clock: Clock


def source(websocket: WebSocket, actor: Actor) -> Source:
    """Return where the app of ``websocket`` keeps its logs."""
    return Source(service(websocket, Database), service(websocket, Pubsub), actor, SystemClock())


async def follow(
    websocket: WebSocket, actor: Actor, job_id: UUID, lines: LogRange, still: StillSeen
) -> None:
    """Send a job's lines, one JSON text frame each, and close normally when the job has ended.

    The caller has asked whether ``actor`` may read them; ``still`` asks it again meanwhile, for
    the actor as they are then, and the stream is cut when it refuses.
    """
    await websocket.accept()
    code, reason = 1000, ""
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(
                _send_all(websocket, source(websocket, actor), job_id, lines.after)
            )
            leaving = group.create_task(_until_gone(websocket))
            hidden = group.create_task(_until_hidden(websocket, actor, still))
            ways = (sending, leaving, hidden)
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if hidden.done() and not hidden.cancelled() and hidden.exception() is None:
                code, reason = HIDDEN, hidden.result()
            for way in ways:
                way.cancel()
    except* WebSocketDisconnect:
        log.debug("a log's reader left", job_id=str(job_id))
    both = (websocket.client_state, websocket.application_state)
    if both == (WebSocketState.CONNECTED, WebSocketState.CONNECTED):
        await websocket.close(code, reason)


async def _until_hidden(websocket: WebSocket, actor: Actor, still: StillSeen) -> str:
    """Return, when the reader may no longer read, why."""
    topics = () if actor.id is None else (access_topic(actor.id),)
    with service(websocket, Pubsub).bell(*topics) as bell:
        while True:
            await bell.wait(LOOK_SECONDS)
            try:
                now = await service(websocket, Authenticator)(websocket)
                async with service(websocket, Database).tx(now) as tx:
                    await still(tx)
            except Unavailable:
                continue  # No answer is no reason: the next look is seconds away.
            except ApiError as refusal:
                return refusal.message[:100]


async def _until_gone(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        continue


async def _send_all(websocket: WebSocket, source: Source, job_id: UUID, after: int) -> None:
    with source.pubsub.bell(job_topic(job_id)) as bell:
        ended = False
        while not ended:
            ended, lines = await _read(source, job_id, after)
            for line in lines:
                await websocket.send_text(convert.line_to_sdk(line).model_dump_json())
                after = line.id
            if not ended and not lines:
                await bell.wait(POLL_SECONDS)


async def _read(source: Source, job_id: UUID, after: int) -> tuple[bool, list[StoredLine]]:
    """Return whether these are the last lines, and lines after ``after``."""
    async with source.db.tx(source.actor) as tx:
        # First the job, then its lines: when it has ended, all that it said is there.
        job = await store.get(tx, job_id)
        lines = await log_store.lines(tx, job_id, after, limit=BATCH)
    return (job is None or job.state in ENDED) and len(lines) < BATCH, lines
