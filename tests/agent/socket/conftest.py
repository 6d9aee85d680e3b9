"""An open socket, and a client that speaks HTTP with h11."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11
import pytest

from agent.socket import Socket
from coder_cli.sdk.agentapi import AppStatus
from tests.support.clock import FakeClock

PATIENCE = 20.0


@dataclass
class Told:
    """What the server is told; raises what the test wants."""

    statuses: list[AppStatus] = field(default_factory=list[AppStatus])
    trouble: Exception | None = None

    async def __call__(self, status: AppStatus) -> None:
        if self.trouble:
            raise self.trouble
        self.statuses.append(status)


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    async def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Send a request and return status and JSON of the answer."""
        self.send(method, target, body)
        return await self.answer()

    def send(self, method: str, target: str, body: Any = None) -> None:
        """Send a request."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = [("host", "localhost"), ("content-length", str(len(content)))]
        head = h11.Request(method=method, target=target, headers=headers)
        for event in (head, h11.Data(data=content), h11.EndOfMessage()):
            self.writer.write(self.http.send(event) or b"")

    async def answer(self) -> tuple[int, Any]:
        """Return the answer to what was sent."""
        status, body = 0, b""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = self.http.next_event()
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    break
                elif event is h11.NEED_DATA:
                    self.http.receive_data(await self.reader.read(65536))
                else:
                    raise ConnectionError("closed before the answer")
        if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
            self.http.start_next_cycle()
        return status, json.loads(body)

    async def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def hang_up(self) -> None:
        """Close the connection."""
        self.writer.close()


@dataclass
class Door:
    """An open socket and who is behind it."""

    socket: Socket
    told: Told
    clock: FakeClock

    async def client(self) -> Client:
        """Connect."""
        return Client(*await asyncio.open_unix_connection(self.socket.path))

    async def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """Ask once, on a connection of its own."""
        client = await self.client()
        try:
            return await client.ask(method, target, body)
        finally:
            client.hang_up()

    async def units(self) -> dict[str, str]:
        """Return the units and their status."""
        _, answer = await self.ask("GET", "/api/v0/sync/list")
        return {one["unit_name"]: one["status"] for one in answer["units"]}

    async def until_units(self, **wanted: str) -> None:
        """Wait until the units stand so."""
        async with asyncio.timeout(PATIENCE):
            while await self.units() != wanted:
                pass


@pytest.fixture
async def door(short: Path) -> AsyncIterator[Door]:
    """An open socket on a clock of the test's own."""
    told, clock = Told(), FakeClock()
    socket = Socket([str(short / "run" / "coder-agent.sock")], clock, told)
    await socket.open()
    yield Door(socket, told, clock)
    closing = asyncio.ensure_future(socket.close())
    while not closing.done():
        await clock.advance(1)
    await closing
