"""A deployment small enough for tests of the client: real HTTP and WebSockets, canned answers."""

import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self, cast

import uvicorn
from pydantic_core import to_jsonable_python
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from coder_cli.kit.build import version

Canned = object | Callable[["Call"], object]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Refuse(Exception):
    """Raised by a canned answer: the API's error body with a status."""

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **more}


@dataclass(slots=True)
class Deployment:
    """Answers by method and path below ``/api/v2``; the last match wins, strangers get 404."""

    url: str = ""
    version: str = field(default_factory=version)
    answers: list[tuple[re.Pattern[str], Canned]] = field(
        default_factory=list[tuple[re.Pattern[str], Canned]]
    )
    streams: dict[str, list[list[Any]]] = field(default_factory=dict[str, list[list[Any]]])
    """By path: the frames of each connection that will be made, in order.

    What can be called is awaited in its turn.
    """
    calls: list[Call] = field(default_factory=list[Call])

    def on(self, call: str, answer: Canned) -> None:
        """Answer ``GET /users/me``; ``*`` in the path stands for one part of it."""
        pattern = re.escape(call).replace(r"\*", "[^/]+")
        self.answers.append((re.compile(pattern), answer))

    def called(self, call: str) -> list[Call]:
        """Return the requests that were ``POST /users``, say."""
        return [one for one in self.calls if f"{one.method} {one.path}" == call]

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        call = Call(
            request.method,
            request.url.path.removeprefix("/api/v2"),
            dict(request.query_params),
            dict(request.headers),
            await request.body(),
        )
        self.calls.append(call)
        try:
            status, answer = 200, self._answer(call)
        except Refuse as refusal:
            status, answer = refusal.status, refusal.body
        content = (
            answer if isinstance(answer, bytes) else json.dumps(to_jsonable_python(answer)).encode()
        )
        return Response(content, status, {"X-Coder-Build-Version": self.version})

    async def stream(self, socket: WebSocket) -> None:
        """Play one connection's frames and close normally, or break off after ``None``."""
        await socket.accept()
        path = socket.url.path.removeprefix("/api/v2")
        self.calls.append(Call("WS", path, dict(socket.query_params), dict(socket.headers), b""))
        waiting = self.streams.get(path, [])
        frames = waiting.pop(0) if waiting else []
        for frame in frames:
            if callable(frame):
                await cast("Callable[[], Awaitable[None]]", frame)()
                continue
            await socket.send_text(json.dumps(to_jsonable_python(frame)))
        await socket.close(1001 if waiting else 1000)

    def _answer(self, call: Call) -> object:
        for pattern, answer in reversed(self.answers):
            if pattern.fullmatch(f"{call.method} {call.path}"):
                return answer(call) if callable(answer) else answer
        raise Refuse(404, "Resource not found or you do not have access to this resource")


class Running:
    """Serve a deployment on a thread, for as long as a ``with`` lasts."""

    def __init__(self) -> None:
        self.deployment = Deployment()
        everything = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app = Starlette(
            routes=[
                WebSocketRoute("/{path:path}", self._stream),
                Route("/{path:path}", self._serve, methods=everything),
            ]
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            # A level would stay with the logger, for every test of this process.
            app,
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def fresh(self) -> Deployment:
        """Return an empty deployment, served in place of the one before."""
        host, port = self._socket.getsockname()
        self.deployment = Deployment(url=f"http://{host}:{port}")
        return self.deployment

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _serve(self, request: Request) -> Response:
        return await self.deployment.serve(request)

    async def _stream(self, socket: WebSocket) -> None:
        await self.deployment.stream(socket)
