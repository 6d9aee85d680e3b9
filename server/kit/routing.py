"""What every route shares: services, the actor, pages, limits, and the one error handler.

Routes stay thin: ``Db`` and ``Me`` come in as parameters, refusals leave as exceptions.
Source: reference, API and CLI, sections 2.1 and 6.4.
"""

import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar, cast
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope
from starlette.websockets import WebSocketDisconnect
from typing_extensions import override

from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import ApiError, FieldError, Invalid, TooMany, Unauthorized
from server.kit.limits import Limiter
from server.kit.realip import client_ip

# FastAPI silences this where it builds a body's validator at once; wire shapes are built later.
warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)

log = structlog.get_logger()
T = TypeVar("T")

TOKEN_HEADER = "Coder-Session-Token"  # noqa: S105 - the name of a header
TOKEN_COOKIE = "coder_session_token"  # noqa: S105 - the name of a cookie
OWNERS = frozenset({"owner", "owner-without-workspace-access"})
BYPASS_HEADER = "X-Coder-Bypass-Ratelimit"
_UNLIMITED = ("/workspaceagents/me/", "/workspaceagents/{agent_id}/stream")
"""Agents; and streams, of which a browser behind a forwarded port opens hundreds at once."""


class Authenticator(Protocol):
    """Turn a connection's credentials into an actor; ``identity`` has the real one."""

    async def __call__(self, connection: HTTPConnection) -> Actor:
        """Return who is asking.

        Raises:
            Unauthorized: nobody we know.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a minute of one user (or address) to one endpoint. 0 is no limit."""

    api: int = 512
    login: int = 60
    files: int = 12


def provide(app: FastAPI, kind: type[T], service: T) -> None:
    """Register ``service`` so that routes get it with ``provided(kind)``."""
    services(app)[kind] = service


def services(app: FastAPI) -> dict[type[Any], Any]:
    """Return the app's services by their type."""
    if not hasattr(app.state, "services"):
        app.state.services = dict[type[Any], Any]()
    return cast("dict[type[Any], Any]", app.state.services)


def service(connection: HTTPConnection, kind: type[T]) -> T:
    """Return the service that ``app`` registered for ``kind``."""
    return cast("T", services(connection.app)[kind])


def provided(kind: type[T]) -> Callable[[HTTPConnection], Awaitable[T]]:
    """Return a dependency that yields the service registered for ``kind``."""

    # Dependencies are coroutines: FastAPI sends plain functions through its thread pool.
    async def get(connection: HTTPConnection) -> T:
        return service(connection, kind)

    return get


def session_token(connection: HTTPConnection) -> str:
    """Return the session token a connection carries, or an empty string: cookie, query, header."""
    scheme, _, bearer = connection.headers.get("Authorization", "").partition(" ")
    return (
        connection.cookies.get(TOKEN_COOKIE)
        or connection.cookies.get(f"__Host-{TOKEN_COOKIE}")
        or connection.query_params.get(TOKEN_COOKIE)
        or connection.headers.get(TOKEN_HEADER)
        or (bearer if scheme.lower() == "bearer" else "")
    )


async def identify(connection: HTTPConnection) -> Actor | None:
    """Return who is asking, or None; the answer is found once for each connection."""
    if not hasattr(connection.state, "actor"):
        try:
            authenticate = service(connection, Authenticator)
            connection.state.actor = await authenticate(connection)
            connection.state.refusal = None
        except Unauthorized as refusal:
            connection.state.actor = None
            connection.state.refusal = refusal
    return connection.state.actor


async def current_actor(connection: HTTPConnection) -> Actor:
    """Return who is asking; the dependency behind ``Me``.

    Raises:
        Unauthorized: no key, an unknown or expired one, or a suspended user.
    """
    actor = await identify(connection)
    if actor is None:
        raise connection.state.refusal
    return actor


async def public() -> None:
    """Mark a route that needs no log-in: ``dependencies=[Depends(public)]``."""


async def agent_only() -> None:
    """Mark a route that workspace agents call with their own token."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted; a limit of 0 is everything."""

    limit: int
    offset: int
    after_id: UUID | None

    def args(self) -> dict[str, Any]:
        """Return the arguments of ``LIMIT %(limit)s OFFSET %(offset)s``; NULL is no limit."""
        return {"limit": self.limit or None, "offset": self.offset}


async def _page(
    limit: Annotated[int, Query(ge=0, le=10_000)] = 0,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    after_id: UUID | None = None,
) -> Page:
    return Page(limit, offset, after_id)


class Section(APIRouter):
    """A router below a few paths, which is passed by at once for all others.

    The routes of a router are otherwise tried one by one for every request of the server.
    """

    def __init__(self, *below: str, **options: Any) -> None:
        """Take the paths, from the root, below which all routes are."""
        super().__init__(**options)
        self._below = below

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is for one of the routes."""
        return super().matches(scope) if scope["path"].startswith(self._below) else (Match.NONE, {})


Db = Annotated[Database, Depends(provided(Database))]
Me = Annotated[Actor, Depends(current_actor)]
Paged = Annotated[Page, Depends(_page)]


async def limit_requests(connection: HTTPConnection) -> None:
    """Hold every endpoint to its rate; an app-wide dependency.

    Raises:
        TooMany: over the limit of this user (or address) and endpoint.
    """
    await _limit(connection, _endpoint(connection), service(connection, Limits).api)


async def limit_logins(connection: HTTPConnection) -> None:
    """Hold log-ins and other guesses of passwords to their lower rate."""
    await _limit(connection, f"login {_endpoint(connection)}", service(connection, Limits).login)


async def limit_files(connection: HTTPConnection) -> None:
    """Hold uploads to their lower rate."""
    await _limit(connection, "files", service(connection, Limits).files)


def _endpoint(connection: HTTPConnection) -> str:
    """Return what tells endpoints: a path of a nested router alone may be another one's too."""
    path = getattr(connection.scope.get("route"), "path", "")
    endpoint = connection.scope.get("endpoint")
    module, name = getattr(endpoint, "__module__", ""), getattr(endpoint, "__qualname__", "")
    return f"{path} {module}.{name}"


async def _limit(connection: HTTPConnection, what: str, per_minute: int) -> None:
    if per_minute <= 0 or any(path in what for path in _UNLIMITED):
        return
    actor = await identify(connection) if session_token(connection) else None
    if actor and actor.roles & OWNERS and connection.headers.get(BYPASS_HEADER) == "true":
        return
    who = str(actor.id) if actor else client_ip(connection)
    wait = service(connection, Limiter).take(f"{who} {what}", per_minute)
    if wait > 0:
        raise TooMany(
            f"You've been rate limited for sending more than {per_minute} requests in a minute.",
            retry_after=wait,
        )


def error_body(error: ApiError) -> dict[str, Any]:
    """Return the wire form of a refusal: ``{message, detail?, validations?}`` and its facts."""
    body: dict[str, Any] = {**error.facts, "message": error.message}
    if error.detail:
        body["detail"] = error.detail
    if error.fields:
        body["validations"] = [{"field": f.field, "detail": f.detail} for f in error.fields]
    return body


def install(app: FastAPI) -> None:
    """Teach ``app`` to answer every refusal, bad body and crash in the one error form."""
    handlers: dict[type[Exception], Callable[[Any, Any], Awaitable[Any]]] = {
        ApiError: _on_api_error,
        RequestValidationError: _on_validation,
        WebSocketRequestValidationError: _on_validation,
        HTTPException: _on_http,
        Exception: _on_crash,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _answer(connection: HTTPConnection, error: ApiError, status: int) -> Response | None:
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
    response = JSONResponse(error_body(error), status_code=status, headers=headers)
    if isinstance(connection, WebSocket):
        await _refuse(connection, response)
        return None
    return response


async def _refuse(websocket: WebSocket, response: Response) -> None:
    """Answer a handshake with plain HTTP; an open socket is closed instead."""
    try:
        await websocket.send_denial_response(response)
    except RuntimeError:
        try:
            await websocket.close(1011)
        except (RuntimeError, WebSocketDisconnect):
            return


async def _on_api_error(connection: HTTPConnection, error: ApiError) -> Response | None:
    return await _answer(connection, error, error.status)


async def _on_validation(
    connection: HTTPConnection, error: RequestValidationError | WebSocketRequestValidationError
) -> Response | None:
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "json_invalid":
            reason = problem.get("ctx", {}).get("error", "")
            bad = Invalid("Request body must be valid JSON.", detail=str(reason))
            return await _answer(connection, bad, 400)
    fields = [
        # Our own checks: their sentences are complete without pydantic's word for the kind.
        FieldError(_field(p["loc"]), str(p["msg"]).removeprefix("Value error, "))
        for p in problems
    ]
    return await _answer(connection, Invalid("Validation failed.", fields=fields), 400)


def _field(location: tuple[str | int, ...]) -> str:
    """Return the dotted name a client knows: without ``body`` or ``query`` in front."""
    parts = location[1:] if location and location[0] in ("body", "query", "path") else location
    return ".".join(str(part) for part in parts) or "body"


async def _on_http(connection: HTTPConnection, error: HTTPException) -> Response | None:
    message = "Route not found." if error.status_code == 404 else str(error.detail)
    return await _answer(connection, ApiError(message), error.status_code)


async def _on_crash(request: Request, error: Exception) -> Response | None:
    log.error("request crashed", path=request.url.path, exc_info=error)
    crash = ApiError(
        "An internal server error occurred.",
        detail="The server's log has the cause under this request's id.",
    )
    return await _answer(request, crash, 500)
