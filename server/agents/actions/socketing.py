"""A WebSocket of an agent's HTTP API, spoken over a stream. Whoever opens one has asked who may."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from coder_cli.sdk.agentapi import Port
from server.agents.actions.streams import Dialer
from server.agents.errors import BadAnswer
from server.network import Closed, Stream, Unreachable

PATIENCE: Final = 15.0
"""Seconds for the agent's answer to the handshake."""
_TEXT: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class AgentSocket:
    """Text messages to and from an agent; one reader and one writer."""

    def __init__(self, stream: Stream, target: str, largest: int) -> None:
        self._stream = stream
        self._protocol = ClientProtocol(parse_uri(f"ws://agent{target}"), max_size=largest)
        self._part = bytearray()
        self._messages: list[str] = []

    async def shake(self, headers: Mapping[str, str]) -> None:
        """Ask for the WebSocket.

        Raises:
            BadAnswer: the agent does not give it.
            Closed: it hung up.
        """
        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        await self._flush()
        while not await self._take():
            pass

    async def receive(self) -> str:
        """Return the next message.

        Raises:
            Closed: there is no next one.
        """
        while not self._messages:
            await self._take()
        return self._messages.pop(0)

    async def send(self, text: str) -> None:
        """Send a message.

        Raises:
            Closed: nobody is there any more.
        """
        self._protocol.send_text(text.encode())
        await self._flush()

    async def _take(self) -> bool:
        """Take what comes; tell whether the handshake was answered in it."""
        content = await self._stream.receive()
        if not content:
            raise Closed(1000, "the agent hung up")
        self._protocol.receive_data(content)
        shaken = False
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                shaken = True
                self._check(event)
            elif isinstance(event, Frame):
                self._put(event)
        await self._flush()
        return shaken

    def _check(self, answer: Response) -> None:
        if self._protocol.handshake_exc is not None:
            said = bytes(answer.body or b"")[:300].decode(errors="replace")
            raise BadAnswer(f"has status {answer.status_code}: {said}".rstrip(": "))

    def _put(self, frame: Frame) -> None:
        if frame.opcode in _TEXT:
            self._part += frame.data
            if frame.fin:
                self._messages.append(self._part.decode(errors="replace"))
                self._part.clear()
        elif frame.opcode is Opcode.CLOSE:
            raise Closed(1000, "the agent ended the watch")

    async def _flush(self) -> None:
        for content in self._protocol.data_to_send():
            if content:
                await self._stream.write(content)


@asynccontextmanager
async def open_socket(
    dialer: Dialer, agent_id: UUID, target: str, headers: Mapping[str, str], largest: int
) -> AsyncGenerator[AgentSocket]:
    """Open a WebSocket of the agent's API; close it at the end.

    Raises:
        NotFound: there is no such agent, or it is not connected.
        Unreachable, BadAnswer: it does not answer, or says no.
    """
    async with dialer.open(agent_id, Port.HTTP_API) as stream:
        socket = AgentSocket(stream, target, largest)
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.shake(headers)
        except TimeoutError as late:
            words = f"The workspace agent did not answer within {PATIENCE:g}s."
            raise Unreachable(words) from late
        except Closed as closed:
            raise Unreachable(f"The workspace agent hung up: {closed}.") from closed
        yield socket
