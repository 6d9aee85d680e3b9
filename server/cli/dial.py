"""Open the WebSocket of a provisioner daemon to its server."""

import json
import socket
from typing import cast
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from coder_cli.sdk.direct import trusting
from coder_cli.sdk.provisioners import LINE_VERSION
from server.cli.far import Provisioner
from server.provisioning import LineEnded, ShownOut, Unreachable

LARGEST_FRAME = 2 * 1024 * 1024
OPEN_WITHIN = 10.0
PING_EVERY, PONG_WITHIN = 5.0, 10.0
_REFUSALS = frozenset({400, 401, 403, 404, 409})
"""Answers about us. All others are troubles of the server or of something before it."""


async def dial(who: Provisioner, build: str) -> "ServerFrames":
    """Open the WebSocket.

    Raises:
        ShownOut: the server does not want this daemon.
        Unreachable: it does not answer, or something else does.
    """
    query = [("name", who.name), ("line", str(LINE_VERSION)), ("version", build)]
    query += [("tag", f"{key}={value}") for key, value in who.tags.items()]
    url = (
        f"{who.url.replace('http', 'ws', 1)}/api/v2/organizations/"
        f"{quote(who.organization, safe='')}/provisionerdaemons/serve?{urlencode(query)}"
    )
    try:
        opened = await connect(
            url,
            additional_headers=dict(who.headers),
            user_agent_header=f"coder/{build}",
            ssl=trusting() if url.startswith("wss:") else None,
            compression=None,
            max_size=LARGEST_FRAME,
            open_timeout=OPEN_WITHIN,
            ping_interval=PING_EVERY,
            ping_timeout=PONG_WITHIN,
        )
    except InvalidStatus as answer:
        raise _refusal(who, answer.response.status_code, answer.response.body or b"") from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, socket.gaierror) as error:
        reason = str(error) or type(error).__name__
        raise Unreachable(f"the server {who.url} cannot be reached: {reason}") from None
    return ServerFrames(opened)


def _refusal(who: Provisioner, status: int, body: bytes | bytearray) -> Exception:
    try:
        said: object = json.loads(body)
    except ValueError:
        said = None
    answer = cast("dict[str, object]", said) if isinstance(said, dict) else {}
    message = str(answer.get("message", ""))[:500]
    if status in _REFUSALS and message:
        words = f"{who.url} does not let this provisioner daemon in: {message}"
        details = cast("list[dict[str, str]]", answer.get("validations") or [])
        more = "; ".join(f"{one.get('field')}: {one.get('detail')}" for one in details[:3])
        return ShownOut(f"{words} ({more})" if more else words)
    return Unreachable(f"the server {who.url} answered with status {status}")


class ServerFrames:
    """An open WebSocket as one end of a line."""

    def __init__(self, inner: ClientConnection) -> None:
        self._inner = inner

    async def send(self, frame: str | bytes) -> None:
        """Send one frame."""
        try:
            await self._inner.send(frame)
        except ConnectionClosed as end:
            raise _ended(end) from None

    async def receive(self) -> str | bytes:
        """Return the next frame."""
        try:
            return await self._inner.recv()
        except ConnectionClosed as end:
            raise _ended(end) from None

    async def close(self) -> None:
        """Say good-bye."""
        await self._inner.close()


def _ended(end: ConnectionClosed) -> LineEnded:
    received = end.rcvd
    reason = received.reason if received and received.reason else "the connection was lost"
    return LineEnded(reason, received.code if received else 1006)
