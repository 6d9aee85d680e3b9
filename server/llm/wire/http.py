"""The one HTTP stack: a transport and a TLS context for the process, a client for each call.

A client of its own for each call keeps the cookies of one tenant from another's (llm, trap 14);
its transport is the shared one, because making a TLS context takes 25 ms.
"""

import ssl
from collections.abc import Mapping

import httpx2
from typing_extensions import override

from server.llm.errors import ErrorKind
from server.llm.failures import failure

_STREAMED = ("/messages", "/responses", "/chat/completions")
_MARKS = (b'"stream":true', b'"stream": true')
_OF_THE_PROCESS = ("openai-organization", "openai-project")
"""An SDK takes these from the environment of the server; a user's key belongs to another."""


class _Shared(httpx2.AsyncBaseTransport):
    """A transport that outlives the clients that use it."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._inner.handle_async_request(request)

    @override
    async def aclose(self) -> None:
        """Leave the connections to the next call."""


def transport(connections: int) -> httpx2.AsyncBaseTransport:
    """Return the transport of a process."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections // 4)
    return httpx2.AsyncHTTPTransport(verify=ssl.create_default_context(), limits=limits)


def client(
    shared: httpx2.AsyncBaseTransport,
    headers: Mapping[str, str],
    timeout: httpx2.Timeout,
    provider: str,
) -> httpx2.AsyncClient:
    """Return a client for one call, which adds ``headers`` and does not follow redirects."""

    async def prepare(request: httpx2.Request) -> None:
        for name in _OF_THE_PROCESS:
            request.headers.pop(name, None)
        request.headers.update(headers)
        streamed = request.url.path.endswith(_STREAMED)
        if streamed and not any(mark in request.content for mark in _MARKS):
            # Without it the answer comes in one piece, minutes later.
            raise failure(provider, "The request does not ask to stream.", kind=ErrorKind.CONFIG)

    return httpx2.AsyncClient(
        transport=_Shared(shared),
        timeout=timeout,
        event_hooks={"request": [prepare]},
        follow_redirects=False,
    )
