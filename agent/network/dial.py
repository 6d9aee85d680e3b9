"""Open WebSockets to the server, with the agent's token and the headers it was given."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from typing_extensions import override
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
)

from agent.network.asking import Answered, NoAnswer, asked
from agent.network.frames import Ended, Frames
from coder_cli.kit.refused import Refused as NotPossible
from coder_cli.sdk import agentapi
from coder_cli.sdk.agentidentity import StaticToken, TokenProvider
from coder_cli.sdk.direct import trusting
from coder_cli.sdk.errors import ApiError, SdkError

LARGEST_MESSAGE: Final = 32 * 1024 * 1024
"""A manifest holds all scripts of a template; nothing else comes near."""
_SLACK = 1024
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""Seconds of silence before the first probe, seconds between probes, probes without an answer."""
_ABOUT_TOKENS: Final = frozenset({401, 403})
_REFUSALS: Final = frozenset({400, 401, 403, 404, 410})
"""Answers about us. All others are troubles of the server or of something before it."""


_QUIET: Final = logging.getLogger("agent.websocket")
"""At debug level the library logs what passes, which may be a manifest with all its secrets."""
_QUIET.setLevel(logging.WARNING)


class Unreachable(Exception):
    """The server did not answer, or not as one of ours; trying again soon may help."""


class Refused(Unreachable):
    """The server answered no. Trying again helps only when somebody changes something there."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the server refused the agent ({status}): {message}")
        self.status = status
        self.message = message


class _WebSocket(Frames):
    """``websockets`` behind the few words of ``Frames``."""

    def __init__(self, inner: ClientConnection) -> None:
        self._inner = inner

    @override
    async def send(self, message: bytes | str) -> None:
        try:
            await self._inner.send(message)
        except ConnectionClosed as end:
            raise _ended(end) from None

    @override
    async def recv(self) -> bytes | str:
        try:
            return await self._inner.recv()
        except ConnectionClosed as end:
            raise _ended(end) from None

    @override
    async def ping(self) -> Awaitable[float]:
        try:
            return await self._inner.ping()
        except ConnectionClosed as end:
            raise _ended(end) from None

    @override
    async def close(self, code: int = 1000, reason: str = "") -> None:
        # A close frame holds 125 bytes, two of them the code.
        await self._inner.close(code, reason.encode()[:123].decode(errors="ignore"))

    @override
    def abort(self) -> None:
        self._inner.transport.abort()


def _watch_peer(connection: ClientConnection) -> None:
    """Let the kernel notice a peer that has vanished.

    Pings cannot tell on a stream: one whose reader is slow for minutes answers none, and is fine.
    """
    opened: socket.socket | None = connection.transport.get_extra_info("socket")
    if opened is None:
        return
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            option = getattr(socket, name, None)
            if option is not None:
                opened.setsockopt(socket.IPPROTO_TCP, option, value)


def _ended(end: ConnectionClosed) -> Ended:
    return Ended(str(end), clean=isinstance(end, ConnectionClosedOK))


@dataclass
class Dialer:
    """The server's address and what opens its door."""

    url: str
    tokens: TokenProvider = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    _tls: ssl.SSLContext | None = field(default=None, init=False, repr=False)

    async def control(self) -> Frames:
        """Open the control line.

        Raises:
            Unreachable: nobody is there. Its kind ``Refused``: the server said no.
        """
        query = f"?version={agentapi.VERSION}&role=agent"
        return await self._connect(agentapi.RPC_PATH + query, LARGEST_MESSAGE)

    async def stream(self, stream_id: str) -> Frames:
        """Dial back for the stream that the server asked for. Raises as ``control`` does."""
        path = agentapi.STREAM_PATH.format(stream_id=stream_id)
        return await self._connect(path, agentapi.FRAME + _SLACK)

    @contextlib.asynccontextmanager
    async def reinit(self) -> AsyncGenerator[Answered]:
        """Ask when to begin anew; the answer does not end before that. Raises ``NoAnswer``."""
        url = self.url.rstrip("/") + agentapi.REINIT_PATH
        try:
            token = await self._token()
        except Unreachable as error:
            raise NoAnswer(str(error)) from None
        async with asked(url, {agentapi.TOKEN_HEADER: token, **self.headers}) as answered:
            yield answered

    async def _connect(self, path: str, largest: int) -> Frames:
        base = urlsplit(self.url)
        secure = base.scheme in ("https", "wss")
        uri = f"{'wss' if secure else 'ws'}://{base.netloc}{base.path.rstrip('/')}{path}"
        more: dict[str, Any] = {"ssl": self._context()} if secure else {}
        token = await self._token()
        try:
            inner = await connect(
                uri,
                additional_headers={agentapi.TOKEN_HEADER: token, **self.headers},
                user_agent_header="coder-agent",
                logger=_QUIET,
                compression=None,
                proxy=None if _is_loopback(base.hostname or "") else True,
                open_timeout=10,
                close_timeout=1,
                ping_interval=None,  # The line pings by its own clock.
                max_size=largest,
                max_queue=8,
                write_limit=2 * agentapi.FRAME,
                **more,
            )
        except InvalidStatus as no:
            if no.response.status_code in _ABOUT_TOKENS:
                self.tokens.forget()
            raise _no(no.response.status_code, _message(no.response.body)) from None
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise Unreachable(str(error) or type(error).__name__) from None
        _watch_peer(inner)
        return _WebSocket(inner)

    async def _token(self) -> str:
        if isinstance(self.tokens, StaticToken):
            return self.tokens.value
        try:
            return await asyncio.to_thread(self.tokens.token)
        except ApiError as no:
            words = f"{no.message} {no.detail}".strip()
            raise _no(no.status, words) from None
        except (SdkError, NotPossible) as error:
            raise Unreachable(str(error)) from None

    def _context(self) -> ssl.SSLContext:
        # Loading the trusted certificates costs megabytes: once, and only when they are needed.
        if self._tls is None:
            self._tls = trusting()
        return self._tls


def _no(status: int, message: str) -> Unreachable:
    if status in _REFUSALS:
        return Refused(status, message)
    return Unreachable(f"it answers {status}: {message}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _message(body: bytes | bytearray | None) -> str:
    text = bytes(body or b"").decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:200] or "no reason given"
