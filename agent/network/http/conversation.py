"""HTTP/1.1 on one connection: h11 knows the protocol, this sets the limits."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, assert_never
from urllib.parse import parse_qsl, urlsplit

import h11

from agent.network.frames import Ended
from agent.network.http.messages import (
    LARGEST_BODY,
    Answer,
    App,
    Content,
    Gone,
    Refusal,
    Reply,
    Request,
    Upgrade,
)
from coder_cli.kit.clock import Clock

T = TypeVar("T")
PATIENCE: Final = 30.0
"""Seconds that a client may take for one request's head, a piece of its body, or an answer."""
_CHUNK: Final = 64 * 1024
_LINGER: Final = 16 * 1024 * 1024
log = logging.getLogger("agent.http")


@dataclass(slots=True, eq=False)
class Conversation:
    """The requests of one connection, one after the other."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    clock: Clock
    last: bool = False
    """Close the connection after the next answer."""
    _http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.SERVER))
    _whole: asyncio.Event = field(default_factory=asyncio.Event)
    """The request's body has come, to its end."""

    async def run(self, app: App) -> None:
        """Answer until either side ends it, or the client is too slow."""
        try:
            while await self._one(app):
                self._http.start_next_cycle()
            if not self._whole.is_set():
                await _in_time(self._linger(), self.clock)
        except* (Gone, Ended, OSError, TimeoutError):
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
        self._whole.clear()
        try:
            head = await _in_time(self._head(), self.clock)
        except h11.RemoteProtocolError as error:
            await self._send_json(_not_http(error), bodiless=False)
            return False
        if head is None:
            self._whole.set()
            return False
        early = self._http.next_event()
        if isinstance(early, h11.EndOfMessage):
            self._whole.set()
        reply = await self._reply(app, _request(head, self._body(early)))
        bodiless = head.method == b"HEAD"
        match reply:
            case Answer():
                await self._send_json(reply, bodiless=bodiless)
            case Content():
                await self._send_content(reply, bodiless=bodiless)
            case Upgrade():
                await self._upgrade(head, reply)
                return False
            case _:
                assert_never(reply)
        return self._http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}

    async def _head(self) -> h11.Request | None:
        """Return the head of the next request, or None when there is no more."""
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                return event
            if event is not h11.NEED_DATA:
                return None
            self._http.receive_data(await self.reader.read(_CHUNK))

    async def _body(self, event: object) -> AsyncGenerator[bytes, None]:
        """Yield the body of the current request; ``event`` is what h11 had after its head."""
        try:
            while not isinstance(event, h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif event is h11.NEED_DATA:
                    await self._more()
                else:
                    raise Gone
                event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise Refusal(error.error_status_hint, f"not HTTP: {error}") from None
        self._whole.set()

    async def _more(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self.writer.write(self._http.send(go_on) or b"")
        try:
            data = await _in_time(self.reader.read(_CHUNK), self.clock)
        except (OSError, TimeoutError) as error:
            raise Gone from error
        if not data:
            raise Gone
        self._http.receive_data(data)

    async def _reply(self, app: App, request: Request) -> Reply:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            reply = await app(request)
            watching.cancel()
        return reply

    async def _watch(self) -> None:
        """Raise when the client hangs up: nobody may start a unit and be gone."""
        await self._whole.wait()
        early = 0
        while early < LARGEST_BODY:
            data = await self.reader.read(_CHUNK)
            if not data:
                raise Gone
            early += len(data)
            self._http.receive_data(data)

    async def _linger(self) -> None:
        """Let a client that still sends read our answer: bytes unread would cut it off."""
        if self.writer.can_write_eof():
            self.writer.write_eof()
        early = 0
        while early < _LINGER and (data := await self.reader.read(_CHUNK)):
            early += len(data)

    async def _send_json(self, answer: Answer, *, bodiless: bool) -> None:
        body = json.dumps(answer.body).encode() + b"\n"
        self._begin(answer.status, "application/json", len(body))
        if not bodiless:
            self.writer.write(self._http.send(h11.Data(data=body)) or b"")
        await self._finish()

    async def _send_content(self, content: Content, *, bodiless: bool) -> None:
        async with contextlib.aclosing(content.chunks) as chunks:
            self._begin(200, content.kind, content.length)
            try:
                async for chunk in chunks if not bodiless else _nothing():
                    self.writer.write(self._http.send(h11.Data(data=chunk)) or b"")
                    await _in_time(self.writer.drain(), self.clock)
                await self._finish()
            except (OSError, h11.LocalProtocolError) as error:
                # The end of the connection amid the content says that it is not whole.
                log.info("an answer broke off: %s", error)
                raise Gone from error

    def _begin(self, status: int, kind: str, length: int | None) -> None:
        headers = [("content-type", kind), ("x-content-type-options", "nosniff")]
        if length is not None:
            headers.append(("content-length", str(length)))
        # What is left of a body nobody wanted cannot be told from the next request.
        if self.last or not self._whole.is_set():
            headers.append(("connection", "close"))
        head = h11.Response(status_code=status, headers=headers)
        self.writer.write(self._http.send(head) or b"")

    async def _finish(self) -> None:
        self.writer.write(self._http.send(h11.EndOfMessage()) or b"")
        await _in_time(self.writer.drain(), self.clock)

    async def _upgrade(self, head: h11.Request, upgrade: Upgrade) -> None:
        # Few need it, and it is a megabyte.
        from agent.network.http.websocket import WebSocket

        asked = b"%s %s HTTP/1.1\r\n%s\r\n" % (head.method, head.target, _lines(head.headers))
        socket = WebSocket(self.reader, self.writer, upgrade.largest)
        if socket.accept(asked, self._http.trailing_data[0]):
            try:
                await upgrade.serve(socket)
            finally:
                await socket.close()


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%s: %s\r\n" % pair for pair in headers)


def _request(head: h11.Request, body: AsyncGenerator[bytes, None]) -> Request:
    target = urlsplit(head.target.decode("latin-1"))
    # Names of units may be any bytes; the words of a command line come to us in the same form.
    query = parse_qsl(target.query, keep_blank_values=True, errors="surrogateescape")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return Request(head.method.decode("latin-1"), target.path, dict(query), headers, body)


def _not_http(error: h11.RemoteProtocolError) -> Answer:
    return Answer(error.error_status_hint, {"message": f"not HTTP: {error}"})


async def _nothing() -> AsyncGenerator[bytes, None]:
    for none in ():
        yield none


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
