"""Requests with the standard library only, for commands that run once per connection.

``coder ssh --stdio`` is started by every ``ssh``, ``scp`` and ``git fetch``: httpx and pydantic
would cost it more than everything else it does. Answers stay plain JSON.
"""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from coder_cli.kit.build import version
from coder_cli.sdk.errors import BadAnswer, refusal, unreachable

API = "/api/v2"
TIMEOUT = 30.0

Json = dict[str, Any]


@dataclass(slots=True)
class Direct:
    """One kept-alive connection to a deployment."""

    url: str
    token: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    _connection: http.client.HTTPConnection | None = None

    def all_headers(self) -> dict[str, str]:
        """Return what every request carries, the session token included."""
        return {
            "User-Agent": f"coder/{version()}",
            "Coder-Session-Token": self.token,
            **self.headers,
        }

    def get(self, path: str) -> Any:
        """Return the JSON at ``/api/v2`` + ``path``.

        Raises:
            ApiError: the server refused.
            Unreachable: nothing answered.
            BadAnswer: the answer is not JSON.
        """
        return self._send("GET", path, None)

    def post(self, path: str, body: Json) -> Any:
        """Send ``body`` as JSON and return the JSON of the answer; raises like ``get``."""
        return self._send("POST", path, json.dumps(body).encode())

    def delete(self, path: str, body: Json) -> Any:
        """Ask that something go, as ``body`` says, and return the JSON of the answer."""
        return self._send("DELETE", path, json.dumps(body).encode())

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        headers = self.all_headers() | ({"Content-Type": "application/json"} if body else {})
        try:
            connection = self._open()
            connection.request(method, f"{API}{path}", body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise unreachable(self.url, error) from error
        if response.status >= 400:
            raise refusal(response.status, content)
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise BadAnswer(f"{self.url}{API}{path} did not answer with JSON") from error

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
            if parts.scheme == "https":
                context = trusting()
                self._connection = http.client.HTTPSConnection(
                    host, parts.port, timeout=TIMEOUT, context=context
                )
            else:
                self._connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT)
        return self._connection


def trusting() -> ssl.SSLContext:
    """Return whom to trust: the system's authorities, and certifi's where it has none."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
