"""Knock at a route and see how it answers, without a socket; streams are left at the door."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import FastAPI
from starlette.routing import WebSocketRoute
from starlette.types import Message, Scope

WEBSOCKET = "WS"
PATIENCE = 2.0


@dataclass(frozen=True)
class Door:
    """A route of the app."""

    method: str
    path: str


@dataclass
class Answer:
    """How a route answered: the status, and the body of a refusal."""

    status: int = 0
    body: bytes = b""


@dataclass
class _Visit:
    """One connection, from the client's side."""

    sent: bytes
    answer: Answer = field(default_factory=Answer)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    opened: bool = False

    async def receive(self) -> Message:
        if not self.opened:
            self.opened = True
            return {"type": "http.request", "body": self.sent, "more_body": False}
        await self.answered.wait()
        return {"type": "http.disconnect"}

    async def receive_text(self) -> Message:
        if not self.opened:
            self.opened = True
            return {"type": "websocket.connect"}
        await self.answered.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                self.answer.status = message["status"]
            case "http.response.body" | "websocket.http.response.body":
                self.answer.body += message.get("body", b"")
                # A first piece of more to come is a stream: we heard enough.
                self.answered.set()
            case "websocket.accept":
                self.answer.status = 101
                self.answered.set()
            case _:
                self.answer.status = self.answer.status or 403
                self.answered.set()


def doors(app: FastAPI) -> list[Door]:
    """Return every route of the app, WebSockets too, in a stable order."""
    found: set[Door] = set()
    for route in app.routes:
        # FastAPI keeps included routers as they are; only this tells the paths they end up at.
        contexts: Any = getattr(route, "effective_route_contexts", None)
        for context in contexts() if contexts else [route]:
            found |= _doors(context)
    return sorted(found, key=lambda door: (door.path, door.method))


def _doors(context: Any) -> set[Door]:
    methods = cast("set[str]", getattr(context, "methods", None) or set[str]())
    if methods:
        return {Door(method, str(context.path)) for method in methods - {"HEAD"}}
    socket = getattr(context, "starlette_route", context)
    return {Door(WEBSOCKET, str(socket.path))} if isinstance(socket, WebSocketRoute) else set()


async def knock(app: FastAPI, door: Door, token: str, body: object | None) -> Answer:
    """Ask at a door as whoever holds ``token``; nobody does if it is empty."""
    path, _, query = door.path.partition("?")
    raw = body if isinstance(body, bytes) else None
    content = raw or (json.dumps(body).encode() if body is not None else b"")
    visit = _Visit(content)
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": door.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (b"host", b"coder.test"),
            (b"content-type", b"application/x-tar" if raw else b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("coder.test", 80),
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }
    if token:
        scope["headers"].append((b"coder-session-token", token.encode()))
    receive = visit.receive
    if door.method == WEBSOCKET:
        scope |= {"type": "websocket", "scheme": "ws", "subprotocols": []}
        receive = visit.receive_text
    serving = asyncio.ensure_future(app(scope, receive, visit.send))
    answered = asyncio.ensure_future(visit.answered.wait())
    await asyncio.wait({serving, answered}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    # We are gone, and well-behaved streams notice; the others are ended.
    await asyncio.wait({serving}, timeout=PATIENCE)
    await _leave(serving, answered)
    return visit.answer


async def _leave(*tasks: "asyncio.Future[Any]") -> None:
    """End what still runs: a stream would go on for as long as somebody listens."""
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
