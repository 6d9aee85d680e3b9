"""Forwarded connections, from the client to a port or socket of the workspace.

asyncssh has this too, but drops what the far end says before the channel is open; and many servers
(SSH, SMTP, databases) speak first.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, cast

import asyncssh
from typing_extensions import override

CONNECT_FAILED: Final = 2
"""SSH's reason code (RFC 4254, section 5.1)."""


class Channel(Protocol):
    """What is needed of an SSH channel."""

    def write(self, data: bytes) -> None: ...
    def write_eof(self) -> None: ...
    def close(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


def _nobody(_: str) -> None:
    """Nobody asked to be told."""


async def forward_tcp(
    host: str, port: int, ended: Callable[[str], None] = _nobody
) -> "asyncssh.SSHTCPSession[bytes]":
    """Connect to ``port`` of ``host`` and return the channel's side of it.

    ``ended`` is told, once, how the connection came to its end.

    Raises:
        asyncssh.ChannelOpenError: nobody answers there.
    """
    loop = asyncio.get_running_loop()
    far = await _connected(loop.create_connection(Far, host, port))
    opened: socket.socket | None = far.transport.get_extra_info("socket")
    if opened is not None:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _TcpSide(far, ended)


async def forward_unix(path: str) -> "asyncssh.SSHUNIXSession[bytes]":
    """Connect to the Unix socket at ``path``. Raises as ``forward_tcp`` does."""
    loop = asyncio.get_running_loop()
    return _UnixSide(await _connected(loop.create_unix_connection(Far, path)))


async def _connected(connecting: "Awaitable[tuple[asyncio.Transport, Far]]") -> "Far":
    try:
        return (await connecting)[1]
    except OSError as error:
        raise asyncssh.ChannelOpenError(CONNECT_FAILED, str(error)) from None


class Far(asyncio.Protocol):
    """The connection in the workspace. Keeps what it hears until there is a channel."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.ended = False
        """It has said all it has to say."""
        self.told_all = False
        """So has the client."""
        self._channel: Channel | None = None
        self._early = bytearray()
        self._lost = False

    def attach(self, channel: Channel) -> None:
        """Pass everything on to ``channel``, what was heard so far first."""
        self._channel = channel
        if self._early:
            channel.write(bytes(self._early))
            self._early.clear()
            if not self._lost:
                self.transport.resume_reading()
        if self.ended:
            channel.write_eof()
        if self._lost:
            channel.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are transports by nature, not by descent.
        self.transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._channel is None:
            self._early += data
            self.transport.pause_reading()
        else:
            with contextlib.suppress(OSError):  # The channel has just been closed.
                self._channel.write(data)

    @override
    def eof_received(self) -> bool:
        self.ended = True
        if self._channel is not None:
            self._channel.write_eof()
        return not self.told_all

    @override
    def pause_writing(self) -> None:
        if self._channel is not None:
            self._channel.pause_reading()

    @override
    def resume_writing(self) -> None:
        if self._channel is not None:
            self._channel.resume_reading()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._channel is not None:
            self._channel.close()


class _Side:
    """The client's side: what the channel says goes to the connection."""

    def __init__(self, far: Far, ended: Callable[[str], None] = _nobody) -> None:
        self._far = far
        self._ended = ended

    def data_received(self, data: bytes, datatype: int | None) -> None:  # noqa: ARG002
        self._far.transport.write(data)

    def eof_received(self) -> bool:
        self._far.told_all = True
        with contextlib.suppress(OSError):
            self._far.transport.write_eof()
        return not self._far.ended

    def pause_writing(self) -> None:
        self._far.transport.pause_reading()

    def resume_writing(self) -> None:
        self._far.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._far.transport.close()
        self._ended(str(exc or "the connection was closed"))


class _TcpSide(_Side, asyncssh.SSHTCPSession[bytes]):
    @override
    def connection_made(self, chan: "asyncssh.SSHTCPChannel[bytes]") -> None:
        self._far.attach(cast("Channel", chan))


class _UnixSide(_Side, asyncssh.SSHUNIXSession[bytes]):
    @override
    def connection_made(self, chan: "asyncssh.SSHUNIXChannel[bytes]") -> None:
        self._far.attach(cast("Channel", chan))
