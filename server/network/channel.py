"""One shape for every WebSocket that carries a stream: binary frames in, binary frames out.

Back-pressure is the sockets' own: ``send`` waits while the other end does not read, and whoever
waits there does not ``receive``. An empty frame ends its direction.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect
from typing_extensions import override
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed

from coder_cli.sdk.agentapi import FRAME
from server.network.errors import Closed

NORMAL = 1000
BROKEN = 1011
"""Sent to one end when the line of the other one broke without a word."""
TOO_BIG = 1009
NOT_BINARY = 1003
_SAYS_NOTHING = frozenset({1005, 1006})
_REASON_BYTES = 123
_CLOSE_WITHIN = 2.0


class Channel(Protocol):
    """One end of a stream."""

    async def receive(self) -> bytes:
        """Return the next frame; an empty one is the end of what the other end sends.

        Raises:
            Closed: there is no next frame.
        """
        ...

    async def send(self, frame: bytes) -> None:
        """Send one frame of at most ``FRAME`` bytes; wait while the other end does not read.

        Raises:
            Closed: nobody is there any more.
        """
        ...

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """End the stream; does nothing when it has ended."""
        ...


class SocketChannel:
    """A WebSocket that somebody opened to our public listener, already accepted."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._closed = False

    async def receive(self) -> bytes:
        """Return the next frame."""
        message = await self._message()
        frame: bytes | None = message.get("bytes")
        if frame is None:
            raise Closed(NOT_BINARY, "streams carry binary frames only")
        if len(frame) > FRAME:
            raise Closed(TOO_BIG, f"a frame carries at most {FRAME} bytes")
        return frame

    async def receive_any(self) -> bytes:
        """Return the next message, be it text or bytes, of any size. Raises ``Closed``."""
        message = await self._message()
        return message.get("bytes") or (message.get("text") or "").encode()

    async def _message(self) -> MutableMapping[str, Any]:
        if self._closed:
            raise Closed(NORMAL)
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            self._closed = True
            raise closed_by(message.get("code", 1005), message.get("reason") or "")
        return message

    async def send(self, frame: bytes) -> None:
        """Send one frame."""
        if self._closed:
            raise Closed(NORMAL)
        try:
            await self._websocket.send({"type": "websocket.send", "bytes": frame})
        except (WebSocketDisconnect, RuntimeError) as error:
            # Starlette and uvicorn raise RuntimeError for a frame after the closing one.
            raise closed_by(1006) from error

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """End the stream."""
        if self._closed:
            return
        self._closed = True
        try:
            # Somebody who does not read cannot be told; returning from the app drops the socket.
            async with asyncio.timeout(_CLOSE_WITHIN):
                await self._websocket.close(code, _fitting(reason))
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return


class PeerChannel:
    """A WebSocket between two replicas, seen from either of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def receive(self) -> bytes:
        """Return the next frame."""
        try:
            frame = await self._connection.recv()
        except ConnectionClosed as error:
            raise _closed(error) from error
        if isinstance(frame, str):
            raise Closed(NOT_BINARY, "streams carry binary frames only")
        return frame

    async def send(self, frame: bytes) -> None:
        """Send one frame."""
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """End the stream."""
        await self._connection.close(code, _fitting(reason))


class Stream:
    """A stream to an agent's port, as server code uses it; also a ``Channel``."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ended = asyncio.Event()

    async def receive(self) -> bytes:
        """Return the next bytes; none at all are the end of what the workspace sends."""
        return await self._channel.receive()

    async def send(self, frame: bytes) -> None:
        """Send one frame of at most ``FRAME`` bytes."""
        await self._channel.send(frame)

    async def write(self, content: bytes) -> None:
        """Send ``content``, in as many frames as it takes."""
        for start in range(0, len(content), FRAME):
            await self._channel.send(content[start : start + FRAME])

    async def write_eof(self) -> None:
        """Say that nothing more will be sent; receiving goes on."""
        await self._channel.send(b"")

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """End the stream and let go of its socket."""
        try:
            await self._channel.close(code, reason)
        finally:
            self._ended.set()

    async def wait_ended(self) -> None:
        """Wait until somebody closed this end."""
        await self._ended.wait()

    @override
    def __repr__(self) -> str:
        return f"<Stream {'ended' if self._ended.is_set() else 'open'}>"


def closed_by(code: int, reason: str = "") -> Closed:
    """Return how to tell the other end that this one closed with ``code``."""
    if code in _SAYS_NOTHING:
        # A torn line must not look like a clean end: a half-received file would pass for whole.
        return Closed(BROKEN, reason or "the line broke")
    if code == NORMAL or 3000 <= code <= 4999:
        return Closed(code, reason)
    return Closed(BROKEN, reason or f"closed with {code}")


def _closed(error: ConnectionClosed) -> Closed:
    if error.rcvd is None:
        return closed_by(1006)
    return closed_by(error.rcvd.code, error.rcvd.reason)


def _fitting(reason: str) -> str:
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")
