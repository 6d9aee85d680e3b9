"""What surrounds every request: ids, headers, the CSRF check, and one log line.

Plain ASGI, so that streams and WebSockets pass through untouched.
Source: reference, API and CLI, sections 2.1, 6.3 and 6.5.
"""

import hmac
import secrets
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coder_cli.kit.build import version
from coder_cli.kit.clock import Clock, SystemClock
from server.kit.routing import TOKEN_COOKIE, TOKEN_HEADER

log = structlog.get_logger()

CSRF_COOKIE = "csrf_token"
CSRF_HEADER = "X-CSRF-TOKEN"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_EXEMPT = (
    "/api/v2/users/first",
    "/api/v2/users/login",
    "/api/v2/csp/reports",
    "/api/v2/workspaceagents/",
)

Observe = Callable[[str, str, int, float], None]
"""Told of each answer: method, route, status, seconds."""


def new_csrf_token() -> str:
    """Return a token for the CSRF cookie; pages send it back in a header."""
    return secrets.token_urlsafe(24)


class Guard:
    """Wrap the app: request id, build version, nosniff, CSRF, access log."""

    def __init__(
        self, app: ASGIApp, observe: Observe | None = None, clock: Clock | None = None
    ) -> None:
        self._app = app
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
            if forged(scope):
                await _reject(stamped)
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
        write("request", method=method, path=scope["path"], status=status, ms=round(seconds * 1e3))


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


def forged(scope: Scope) -> bool:
    """Tell whether a browser may have been tricked into this request (no CSRF token)."""
    if scope["type"] != "http" or scope["method"] in _SAFE:
        return False
    path: str = scope["path"]
    if not path.startswith("/api") or path.startswith(_EXEMPT):
        return False
    headers = Headers(scope=scope)
    cookies: SimpleCookie = SimpleCookie()
    cookies.load(headers.get("cookie", ""))
    session = _cookie(cookies, TOKEN_COOKIE) or _cookie(cookies, f"__Host-{TOKEN_COOKIE}")
    if not session:
        return False
    query = QueryParams(scope["query_string"])
    if session in (headers.get(TOKEN_HEADER), query.get(TOKEN_COOKIE)):
        return False
    expected, given = _cookie(cookies, CSRF_COOKIE), headers.get(CSRF_HEADER, "")
    return not expected or not hmac.compare_digest(expected.encode(), given.encode())


def _cookie(cookies: SimpleCookie, name: str) -> str:
    return cookies[name].value if name in cookies else ""


async def _reject(send: Callable[[Message], Any]) -> None:
    text = b"Something is wrong with your CSRF token. Please refresh the page."
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": text})
