"""A client of the agent's API on port 4: one stream for each request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import h11

from tests.agent.control_plane import ControlPlane


@dataclass
class ApiClient:
    """Asks the agent that is connected to ``plane``."""

    plane: ControlPlane
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    async def get(self, target: str) -> tuple[int, Any]:
        """Return status and JSON of what is at ``target``."""
        status, content = await self.ask("GET", target)
        return status, json.loads(content)

    async def post(self, target: str, body: Any = None) -> tuple[int, Any]:
        """Send ``body`` as JSON, or as it is when it is bytes; return status and JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, content = await self.ask("POST", target, raw)
        return status, json.loads(content)

    async def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send one request and return status and body of the answer."""
        http = h11.Connection(h11.CLIENT)
        headers = [("host", "agent"), ("content-length", str(len(body))), *self.headers.items()]
        head = h11.Request(method=method, target=target, headers=headers)
        events = (head, h11.Data(data=body), h11.EndOfMessage())
        raw = b"".join(http.send(event) or b"" for event in events)
        async with self.plane.stream(4) as stream:
            for at in range(0, len(raw), 65536):
                await stream.send(raw[at : at + 65536])
            status, content = 0, b""
            while True:
                event = http.next_event()
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    content += event.data
                elif isinstance(event, h11.EndOfMessage):
                    return status, content
                elif event is h11.NEED_DATA:
                    data = await stream.recv()
                    assert isinstance(data, bytes)
                    http.receive_data(data)
                else:
                    raise ConnectionError("closed before the answer")
