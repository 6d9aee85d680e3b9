"""One request to an agent's HTTP API, and its answer, over a stream that is open."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import h11

from coder_cli.sdk.agentapi import Json
from server.agents.errors import BadAnswer
from server.network import Closed, Stream

PATIENCE: Final = 20.0
"""Seconds that an agent has for a whole answer."""
LARGEST_ANSWER: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to an agent's API; ``target`` is its path with the query."""

    target: str
    method: str = "GET"
    body: Json = None
    """Sent as JSON, or as it is when it is bytes."""
    patience: float = PATIENCE
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    repeatable: bool = True
    """Asking twice does no harm."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came; ``open`` says that the stream can carry another request."""

    status: int
    content: bytes
    open: bool


async def exchange(stream: Stream, asked: Asked, *, keep: bool = False) -> Answered:
    """Return the agent's answer; with ``keep`` the stream stays open after it if it can.

    Raises:
        Closed: the stream ended before the answer did.
        BadAnswer: what came is no answer of an agent's.
    """
    http = h11.Connection(h11.CLIENT)
    await stream.write(_request(http, asked, keep=keep))
    status, content = 0, bytearray()
    try:
        async with aclosing(_events(http, stream)) as events:
            async for event in events:
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    content += event.data
                if len(content) > LARGEST_ANSWER:
                    raise BadAnswer(f"has more than {LARGEST_ANSWER} bytes")
    except h11.RemoteProtocolError as error:
        raise BadAnswer(f"is not HTTP: {error}") from error
    done = http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}
    return Answered(status, bytes(content), done and not http.trailing_data[0])


def _request(http: h11.Connection, asked: Asked, *, keep: bool) -> bytes:
    body = asked.body if isinstance(asked.body, bytes) else _json(asked.body)
    headers = [("host", "agent"), ("content-length", str(len(body))), *asked.headers.items()]
    if not keep:
        headers.append(("connection", "close"))
    head = h11.Request(method=asked.method, target=asked.target, headers=headers)
    raw = b"".join(http.send(event) or b"" for event in (head, h11.Data(data=body)))
    return raw + (http.send(h11.EndOfMessage()) or b"")


def _json(body: Json) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


async def _events(http: h11.Connection, stream: Stream) -> AsyncGenerator[h11.Event]:
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await stream.receive())
        elif isinstance(event, h11.Event):
            yield event
            if isinstance(event, h11.EndOfMessage):
                return
        else:
            raise Closed(1006, "the connection ended within the answer")
