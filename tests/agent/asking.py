"""Ask a table of routes without a connection."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent.network.http import Answer, Content, Request, Table


@dataclass
class Asking:
    """Requests for ``table``, with these headers."""

    table: Table
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    async def get(self, target: str) -> tuple[int, Any]:
        """Return status and JSON."""
        return await self.ask("GET", target)

    async def post(self, target: str, body: Any = None) -> tuple[int, Any]:
        """Send ``body`` as JSON, or as it is when it is bytes."""
        return await self.ask("POST", target, body)

    async def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Return status, and JSON or bytes of the answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True, errors="surrogateescape"))
        request = Request(method, url.path, query, self.headers, _pieces(raw))
        reply = await self.table(request)
        if isinstance(reply, Content):
            return 200, b"".join([chunk async for chunk in reply.chunks])
        assert isinstance(reply, Answer)
        return reply.status, json.loads(json.dumps(reply.body))


async def _pieces(raw: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(raw), 1000):
        yield raw[at : at + 1000]
