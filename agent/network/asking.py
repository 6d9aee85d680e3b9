"""Ask somebody over HTTP/1.1: one request without a body, and an answer that may never end.

For what the agent asks beside its WebSockets. A full client would cost an idle agent megabytes.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import h11

from coder_cli.sdk.direct import trusting

_CHUNK: Final = 64 * 1024
# Loading the trusted certificates costs megabytes: once, and only when they are needed.
_trust = cache(trusting)


class NoAnswer(Exception):
    """Nobody answered, or not in HTTP. The message does not repeat the URL: it may hold secrets."""


@dataclass(slots=True)
class Answered:
    """The head of an answer has come."""

    status: int
    _http: h11.Connection
    _reader: asyncio.StreamReader

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes.

        Raises:
            NoAnswer: it broke off.
        """
        try:
            while not isinstance(event := await _event(self._http, self._reader), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif not isinstance(event, h11.Response):
                    raise NoAnswer("the answer broke off")
        except (OSError, h11.ProtocolError) as error:
            raise NoAnswer(f"the answer broke off: {error}") from None


@asynccontextmanager
async def asked(url: str, headers: Mapping[str, str] | None = None) -> AsyncGenerator[Answered]:
    """Get ``url``; yield the answer once its head is there. How long that may take is yours.

    Raises:
        NoAnswer: there is none.
    """
    try:
        parts = urlsplit(url)
        reader, writer = await _connect(parts)
    except (OSError, ValueError) as error:
        raise NoAnswer(type(error).__name__) from None
    try:
        yield await _ask(parts, headers or {}, reader, writer)
    finally:
        writer.close()


async def _connect(url: SplitResult) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    secure = url.scheme in ("https", "wss")
    if not (secure or url.scheme in ("http", "ws")) or not url.hostname:
        raise ValueError("not a URL of HTTP")
    port = url.port or (443 if secure else 80)
    return await asyncio.open_connection(url.hostname, port, ssl=_trust() if secure else None)


async def _ask(
    url: SplitResult,
    headers: Mapping[str, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> Answered:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK)
    try:
        request = h11.Request(method="GET", target=_target(url), headers=_headers(url, headers))
        writer.write((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        while isinstance(event := await _event(http, reader), h11.InformationalResponse):
            pass
    except (OSError, h11.ProtocolError) as error:
        raise NoAnswer(type(error).__name__) from None
    if not isinstance(event, h11.Response):
        raise NoAnswer("the connection was closed")
    return Answered(event.status_code, http, reader)


async def _event(http: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await reader.read(_CHUNK))
    return event


def _target(url: SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _headers(url: SplitResult, more: Mapping[str, str]) -> list[tuple[str, str]]:
    headers = [
        ("Host", url.netloc.rpartition("@")[2]),
        ("User-Agent", "coder-agent"),
        ("Connection", "close"),
        *more.items(),
    ]
    if url.username is not None:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    return headers
