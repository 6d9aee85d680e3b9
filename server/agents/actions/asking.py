"""Ask an agent's HTTP API, on port 4 of its streams. Whoever asks has asked who may."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import h11

from coder_cli.sdk.agentapi import Json, Port
from server.agents.actions.streams import Dialer
from server.agents.errors import BadAnswer
from server.network import Closed, Stream, Unreachable

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


async def ask(dialer: Dialer, agent_id: UUID, asked: Asked) -> tuple[int, Json]:
    """Return status and JSON of the agent's answer.

    Raises:
        NotFound: there is no such agent, or it is not connected; the message says which.
        Unreachable: it did not answer in time, or hung up.
        BadAnswer: what came is no answer of an agent's.
    """
    status, content = await fetch(dialer, agent_id, asked)
    try:
        return status, json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"is not HTTP with JSON: {error}") from error


async def fetch(dialer: Dialer, agent_id: UUID, asked: Asked) -> tuple[int, bytes]:
    """Return status and content of the agent's answer; raises what ``ask`` does."""
    try:
        async with (
            asyncio.timeout(asked.patience),
            dialer.open(agent_id, Port.HTTP_API) as stream,
        ):
            return await _exchange(stream, asked)
    except TimeoutError as error:
        late = f"The workspace agent did not answer within {asked.patience:g}s."
        raise Unreachable(late) from error
    except Closed as error:
        raise Unreachable(f"The workspace agent hung up before it answered: {error}.") from error


async def _exchange(stream: Stream, asked: Asked) -> tuple[int, bytes]:
    http = h11.Connection(h11.CLIENT)
    body = asked.body if isinstance(asked.body, bytes) else _json(asked.body)
    headers = [("host", "agent"), ("connection", "close"), ("content-length", str(len(body)))]
    headers += asked.headers.items()
    head = h11.Request(method=asked.method, target=asked.target, headers=headers)
    raw = b"".join(http.send(event) or b"" for event in (head, h11.Data(data=body)))
    await stream.write(raw + (http.send(h11.EndOfMessage()) or b""))
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
        return status, bytes(content)
    except h11.RemoteProtocolError as error:
        raise BadAnswer(f"is not HTTP: {error}") from error


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
