"""HTTP/1.1 on one connection of the socket: h11 knows the protocol, this sets the limits."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlsplit

import h11

from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Json

T = TypeVar("T")
LARGEST_BODY: Final = 256 * 1024
PATIENCE: Final = 30.0
"""Seconds that a client may take for one request, or for reading its answer."""
_CHUNK: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, Json]


App: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""Answers requests. It is cancelled when the client hangs up."""


class _Gone(Exception):
    """The client has hung up."""


@dataclass(slots=True, eq=False)
class Conversation:
    """The requests of one connection, one after the other."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    clock: Clock
    last: bool = False
    """Close the connection after the next answer."""
    _http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.SERVER))

    async def run(self, app: App) -> None:
        """Answer until either side ends it, or the client is too slow."""
        try:
            while await self._one(app):
                self._http.start_next_cycle()
        except* (_Gone, OSError, TimeoutError):
            pass
        finally:
            self.writer.close()

    async def refuse(self, status: int, words: str) -> None:
        """Answer so whatever is asked first, and close."""

        async def no(_: Request) -> Answer:
            return Answer(status, {"message": words})

        self.last = True
        await self.run(no)

    async def _one(self, app: App) -> bool:
        try:
            request = await _in_time(self._request(), self.clock)
        except h11.RemoteProtocolError as error:
            self.last = True
            await self._send(Answer(error.error_status_hint, {"message": f"not HTTP: {error}"}))
            return False
        if request is None:
            return False
        answer = await self._answer(app, request)
        await self._send(answer, bodiless=request.method == "HEAD")
        return self._http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}

    async def _request(self) -> Request | None:
        """Return the next request, or None when there is no more."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > LARGEST_BODY:
                    words = f"the body has {LARGEST_BODY} bytes at most"
                    raise h11.RemoteProtocolError(words, error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                return _request(head, bytes(body))
            elif event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self.writer.write(self._http.send(go_on) or b"")
                self._http.receive_data(await self.reader.read(_CHUNK))
            else:
                return None

    async def _answer(self, app: App, request: Request) -> Answer:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            answer = await app(request)
            watching.cancel()
        return answer

    async def _watch(self) -> None:
        """Raise when the client hangs up: nobody may start a unit and be gone."""
        early = 0
        while early < LARGEST_BODY:
            data = await self.reader.read(_CHUNK)
            if not data:
                raise _Gone
            early += len(data)
            self._http.receive_data(data)

    async def _send(self, answer: Answer, *, bodiless: bool = False) -> None:
        body = json.dumps(answer.body).encode() + b"\n"
        headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
        if self.last:
            headers.append(("connection", "close"))
        head = h11.Response(status_code=answer.status, headers=headers)
        events = (head, h11.Data(data=b"" if bodiless else body), h11.EndOfMessage())
        self.writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await _in_time(self.writer.drain(), self.clock)


def _request(head: h11.Request, body: bytes) -> Request:
    target = urlsplit(head.target.decode("latin-1"))
    # Names of units may be any bytes; the words of a command line come to us in the same form.
    query = parse_qsl(target.query, keep_blank_values=True, errors="surrogateescape")
    return Request(head.method.decode("latin-1"), target.path, dict(query), body)


async def _in_time(something: Coroutine[Any, Any, T], clock: Clock) -> T:
    wanted = asyncio.ensure_future(something)
    timer = asyncio.ensure_future(clock.sleep(PATIENCE))
    try:
        await asyncio.wait({wanted, timer}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            raise TimeoutError
        return wanted.result()
    finally:
        for task in (wanted, timer):
            task.cancel()
