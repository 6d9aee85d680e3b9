"""``--redirect-to-access-url``: whoever came by another name is sent to the right one."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_UNTOUCHED = ("/healthz", "/latency-check", "/api/v2/workspaceagents/", "/bin/")
"""Probes, and agents that were told an older URL, are served wherever they come in."""


class Redirect:
    """Send requests for another host to the access URL."""

    def __init__(self, app: ASGIApp, access_url: str) -> None:
        self._app = app
        self._url = access_url
        self._host = urlsplit(access_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or send it away."""
        if scope["type"] != "http" or not self._elsewhere(scope):
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        target = f"{self._url}{scope['path']}{f'?{query}' if query else ''}"
        await RedirectResponse(target, status_code=307)(scope, receive, send)

    def _elsewhere(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "").lower()
        return host != self._host and not scope["path"].startswith(_UNTOUCHED)
