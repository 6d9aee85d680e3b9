"""The server's end of a WebSocket on a connection that began as HTTP."""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable

from typing_extensions import override
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from agent.network.frames import Ended, Frames

_CHUNK = 64 * 1024


class WebSocket(Frames):
    """One WebSocket. One task may receive at a time; any may send."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, largest: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(max_size=largest)
        self._messages: deque[bytes | str] = deque()
        self._parts: list[bytes] = []
        self._text = False
        self._pings: dict[bytes, asyncio.Future[float]] = {}

    def accept(self, asked: bytes, early: bytes) -> bool:
        """Shake hands; ``asked`` is the request's head, ``early`` what came after it.

        Returns False when the request asks for no WebSocket, which the client is told.
        """
        self._protocol.receive_data(asked)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
        self._flush()
        if self._protocol.state is not State.OPEN:
            return False
        self._take(early)
        return True

    @override
    async def send(self, message: bytes | str) -> None:
        try:
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
        except InvalidState as error:
            raise self._ended() from error
        await self._drain()

    @override
    async def recv(self) -> bytes | str:
        while not self._messages:
            if self._protocol.state is not State.OPEN:
                raise self._ended()
            try:
                data = await self._reader.read(_CHUNK)
            except OSError as error:
                raise Ended(str(error)) from error
            if not data:
                raise Ended("the client hung up")
            self._take(data)
        return self._messages.popleft()

    @override
    async def ping(self) -> Awaitable[float]:
        word = secrets.token_bytes(4)
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._pings[word] = pong
        try:
            self._protocol.send_ping(word)
        except InvalidState as error:
            raise self._ended() from error
        await self._drain()
        return pong

    @override
    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()
        self._writer.close()

    @override
    def abort(self) -> None:
        self._writer.transport.abort()

    def _take(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
        self._flush()

    def _take_frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                if frame.opcode is not Opcode.CONT:
                    self._text = frame.opcode is Opcode.TEXT
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    whole = b"".join(self._parts)
                    self._parts.clear()
                    self._messages.append(whole.decode(errors="replace") if self._text else whole)
            case Opcode.PONG:
                pong = self._pings.pop(bytes(frame.data), None)
                if pong and not pong.done():
                    pong.set_result(0.0)
            case _:
                pass

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            else:
                self._writer.close()

    async def _drain(self) -> None:
        self._flush()
        try:
            await self._writer.drain()
        except OSError as error:
            raise Ended(str(error)) from error

    def _ended(self) -> Ended:
        code = self._protocol.close_code
        return Ended(f"{code} {self._protocol.close_reason or ''}", clean=code in (1000, 1001))
