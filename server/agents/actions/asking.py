"""Ask an agent's HTTP API, on port 4 of its streams. Whoever asks has asked who may."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
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
    patience: float = PATIENCE


async def ask(dialer: Dialer, agent_id: UUID, asked: Asked) -> tuple[int, Json]:
    """Return status and JSON of the agent's answer.

    Raises:
        NotFound: there is no such agent, or it is not connected; the message says which.
        Unreachable: it did not answer in time, or hung up.
        BadAnswer: what came is no answer of an agent's.
    """
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


async def _exchange(stream: Stream, asked: Asked) -> tuple[int, Json]:
    http = h11.Connection(h11.CLIENT)
    body = b"" if asked.body is None else json.dumps(asked.body).encode()
    headers = [("host", "agent"), ("connection", "close"), ("content-length", str(len(body)))]
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
        return status, json.loads(content)
    except (h11.RemoteProtocolError, ValueError, RecursionError) as error:
        raise BadAnswer(f"is not HTTP with JSON: {error}") from error


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
