"""What surrounds every request: ids, headers, the CSRF check, and one log line.

Plain ASGI, so that streams and WebSockets pass through untouched.
Source: reference, API and CLI, sections 2.1, 6.3 and 6.5.
"""

import hmac
import secrets
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coder_cli.kit.build import version
from coder_cli.kit.clock import Clock, SystemClock
from server.kit.routing import TOKEN_COOKIE, TOKEN_HEADER

log = structlog.get_logger()

CSRF_COOKIE = "csrf_token"
CSRF_HEADER = "X-CSRF-TOKEN"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_MASKED = "/provisionerkeys/{key}"
"""A path that ends with a secret."""
_REPORTS = "/api/v2/csp/reports"
_AGENTS = "/api/v2/workspaceagents/"
_DOORS = frozenset({"/api/v2/users/first", "/api/v2/users/login"})
"""Ways in that need no session, and so no token: only a page's origin tells who knocks."""

Observe = Callable[[str, str, int, float], None]
"""Told of each answer: method, route, status, seconds."""


def new_csrf_token() -> str:
    """Return a token for the CSRF cookie; pages send it back in a header."""
    return secrets.token_urlsafe(24)


class Guard:
    """Wrap the app: request id, build version, nosniff, CSRF, access log.

    ``hosts`` are names that pages of ours come from, besides the one that a request names.
    """

    def __init__(
        self,
        app: ASGIApp,
        observe: Observe | None = None,
        clock: Clock | None = None,
        *,
        hosts: Collection[str] = (),
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._observe = observe
        self._clock = clock or SystemClock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = str(uuid4())
        scope.setdefault("state", {})["request_id"] = request_id
        began, status = self._clock.monotonic(), 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                _stamp(message, request_id)
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        if scope["type"] == "http":
            _expect_json(scope)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if forged(scope, self._hosts):
                await _reject(stamped)
            elif intruding(scope, self._hosts):
                await _refuse_handshake(scope, stamped)
            else:
                await self._app(scope, receive, stamped)
            self._note(scope, status, self._clock.monotonic() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope.get("method", "WS")
        route = getattr(scope.get("route"), "path", "")
        if self._observe is not None:
            self._observe(method, route, status, seconds)
        write = log.warning if status >= 500 else log.debug
        # The path only: query strings may carry tokens.
        path = route if route.endswith(_MASKED) else scope["path"]
        write("request", method=method, path=path, status=status, ms=round(seconds * 1e3))


def _expect_json(scope: Scope) -> None:
    """Read what ``curl -d`` sends as JSON: it claims to be a form, and no route takes forms."""
    if not scope["path"].startswith("/api/"):
        return
    headers = MutableHeaders(scope=scope)
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        headers["content-type"] = "application/json"


def _stamp(message: Message, request_id: str) -> None:
    headers = MutableHeaders(scope=message)
    headers["X-Coder-Build-Version"] = version()
    headers["X-Coder-Request-Id"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    if headers.get("content-type") == "application/json":
        headers["content-type"] = "application/json; charset=utf-8"


def forged(scope: Scope, hosts: Collection[str] = ()) -> bool:
    """Tell whether a browser may have been tricked into this request (no CSRF token)."""
    if scope["type"] != "http" or scope["method"] in _SAFE:
        return False
    path: str = scope["path"]
    if not path.startswith("/api") or path == _REPORTS or path.startswith(_AGENTS):
        return False
    connection = HTTPConnection(scope)
    if path in _DOORS:
        # A form elsewhere could log its visitor in as somebody else, or set the deployment up.
        return _foreign(connection.headers, hosts, silent=False)
    session = _unproven_session(connection)
    if not session:
        return False
    expected = connection.cookies.get(CSRF_COOKIE, "")
    given = connection.headers.get(CSRF_HEADER, "")
    return not expected or not hmac.compare_digest(expected.encode(), given.encode())


def intruding(scope: Scope, hosts: Collection[str]) -> bool:
    """Tell whether a page of another origin opens a WebSocket with its visitor's cookie.

    Browsers ask no leave for that, and SameSite does not hold off applications of workspaces: they
    are served from names below ours. A stream is a shell, so it has to be a page of our own.
    """
    if scope["type"] != "websocket" or not _unproven_session(HTTPConnection(scope)):
        return False
    return _foreign(Headers(scope=scope), hosts, silent=True)


def _foreign(headers: Headers, hosts: Collection[str], *, silent: bool) -> bool:
    """Tell whether a page of another origin asks; ``silent`` is the answer when none is named."""
    if headers.get("sec-fetch-site") == "same-origin":
        return False  # Pages cannot set this one; it also holds behind proxies that rename us.
    origin = headers.get("origin")
    if origin is None:
        return silent
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        return True
    return host != headers.get("host", "").lower() and host not in hosts


def _unproven_session(connection: HTTPConnection) -> str:
    """Return the session of a cookie, unless the caller shows otherwise that it knows it.

    The cookies are those that authentication reads: another parser may see others.
    """
    session = connection.cookies.get(TOKEN_COOKIE) or connection.cookies.get(
        f"__Host-{TOKEN_COOKIE}", ""
    )
    shown = (connection.headers.get(TOKEN_HEADER), connection.query_params.get(TOKEN_COOKIE))
    return "" if session in shown else session


async def _refuse_handshake(scope: Scope, send: Callable[[Message], Any]) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    start = "websocket.http.response.start"
    await send({"type": start, "status": 403, "headers": headers})
    text = b"WebSockets with a session cookie are only for pages of this deployment."
    await send({"type": "websocket.http.response.body", "body": text})


async def _reject(send: Callable[[Message], Any]) -> None:
    text = b"Something is wrong with your CSRF token. Please refresh the page."
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": text})
