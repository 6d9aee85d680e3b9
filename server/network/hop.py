"""The line between replicas: an internal WebSocket listener, and how to call another one's.

Two things are asked of a replica: to have an agent on its line dial back (``/open``), and to take
over a stream that the agent dialled to the wrong replica (``/stream``); rooms above add their own.
All are authorised by a secret that only replicas of one database know.
"""

import http
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import structlog
from websockets.asyncio.client import connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.http11 import Request, Response

from coder_cli.sdk.agentapi import FRAME
from server.kit.crypto import same
from server.kit.errors import ApiError
from server.network.channel import NORMAL, Channel, PeerChannel
from server.network.errors import Closed, Unreachable

log = structlog.get_logger()

HEADER = "Coder-Relay-Secret"
REFUSED = 4404
DIAL_WITHIN = 5.0
_FRAMES_AHEAD = 2
"""Frames that a hop holds for a slow reader; with ``FRAME`` this bounds its memory."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one replica asks of another."""

    what: str
    agent_id: UUID
    """The agent; for a room's own wish, the thing that it is about."""
    stream_id: str
    port: int = 0

    def path(self) -> str:
        """Return the wish as the target of a request."""
        query = {"agent": str(self.agent_id), "stream": self.stream_id, "port": str(self.port)}
        return f"/{self.what}?{urlencode(query)}"


def read_wish(target: str) -> Wish | None:
    """Return what a request's target asks for, or None when it makes no sense."""
    url = urlsplit(target)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    try:
        return Wish(
            url.path.removeprefix("/"),
            UUID(query["agent"]),
            query["stream"],
            int(query.get("port", "0")),
        )
    except (KeyError, ValueError):
        return None


Grant = Callable[[Wish, Channel], Awaitable[None]]
"""Fulfils a wish; returns when the channel is no longer needed. Raises ``ApiError`` to refuse."""


@asynccontextmanager
async def listening(host: str, secret: bytes, grant: Grant) -> AsyncGenerator[str]:
    """Serve other replicas; yield the address they reach us at."""

    def guard(connection: ServerConnection, request: Request) -> Response | None:
        shown = request.headers.get(HEADER, "")
        if not same(shown.encode(), secret.hex().encode()):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "Unknown replica.\n")
        return None

    async def handle(connection: ServerConnection) -> None:
        channel = PeerChannel(connection)
        wish = read_wish(connection.request.path if connection.request else "")
        try:
            if wish is None:
                raise Unreachable("A replica asked for something unknown.")
            await grant(wish, channel)
        except ApiError as refusal:
            await channel.close(REFUSED, refusal.message)
        except Closed as gone:
            log.debug("another replica left", wish=wish.what if wish else "", reason=str(gone))

    async with serve(
        handle,
        host,
        0,
        process_request=guard,
        compression=None,
        max_size=FRAME,
        max_queue=_FRAMES_AHEAD,
        ping_timeout=None,
        server_header=None,
    ) as server:
        yield _address(server)


@asynccontextmanager
async def asked(address: str, secret: bytes, wish: Wish) -> AsyncGenerator[PeerChannel]:
    """Ask the replica at ``address`` for ``wish``; yield the channel to it.

    Raises:
        Unreachable: it does not answer, or does not know us.
    """
    try:
        connection = await connect(
            f"ws://{address}{wish.path()}",
            additional_headers={HEADER: secret.hex()},
            open_timeout=DIAL_WITHIN,
            compression=None,
            max_size=FRAME,
            max_queue=_FRAMES_AHEAD,
            ping_timeout=None,
            user_agent_header=None,
            proxy=None,
        )
    except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as error:
        log.warning("replica does not answer", address=address, error=str(error))
        raise Unreachable(
            "The server that holds the workspace's line does not answer; try again."
        ) from error
    async with connection:
        yield PeerChannel(connection)


async def ask_to_open(address: str, secret: bytes, wish: Wish) -> None:
    """Have the replica at ``address`` ask its agent to dial back; return when the agent agreed.

    Raises:
        Unreachable: it does not hold the agent's line, or the agent does not answer.
    """
    async with asked(address, secret, wish) as channel:
        try:
            await channel.receive()
        except Closed as closed:
            if closed.code != NORMAL:
                raise Unreachable(closed.reason or "The workspace's line broke.") from closed


def _address(server: Server) -> str:
    host, port = next(iter(server.sockets)).getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
