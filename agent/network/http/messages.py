"""What is asked, and the three kinds of reply: JSON, a stream of bytes, a WebSocket."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from agent.network.frames import Frames
from coder_cli.sdk import agentapi
from coder_cli.sdk.agentapi import Json

Shape = TypeVar("Shape")
LARGEST_BODY: Final = 256 * 1024
"""What a request's body may have, unless a route allows more."""


class Gone(Exception):
    """The client has hung up, or is too slow: nobody is there to be answered."""


class Refusal(Exception):
    """An answer that is no; the message is a sentence for whoever asked."""

    def __init__(self, status: int, words: str, detail: str = "") -> None:
        super().__init__(words)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    """The body as it comes; can be read once."""
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    """What stands in the path where the route has ``{name}``."""

    async def read(self, most: int = LARGEST_BODY) -> bytes:
        """Return the whole body.

        Raises:
            Refusal: it has more than ``most`` bytes.
        """
        body = bytearray()
        async for chunk in self.chunks:
            body += chunk
            if len(body) > most:
                raise Refusal(413, f"the body has {most} bytes at most")
        return bytes(body)

    async def shape(self, shape: type[Shape], most: int = LARGEST_BODY) -> Shape:
        """Return the body, which is JSON, as ``shape``.

        Raises:
            Refusal: it is too large, or no JSON.
            BadShape: something in it does not fit; the message names the place.
        """
        body = await self.read(most)
        try:
            content: Json = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "Request body must be valid JSON.", str(error)) from None
        return agentapi.from_json(shape, content)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply in JSON."""

    status: int
    body: Json


@dataclass(frozen=True, slots=True)
class Content:
    """A reply in bytes, as many as come."""

    chunks: AsyncGenerator[bytes, None]
    kind: str = "application/octet-stream"
    """The media type."""
    length: int | None = None
    """How many bytes there will be, if that is known."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From here on the connection is a WebSocket, and ``serve`` has it until it returns."""

    serve: Callable[[Frames], Awaitable[None]]
    largest: int = LARGEST_BODY
    """The most bytes of a message from the client."""


Reply: TypeAlias = Answer | Content | Upgrade
App: TypeAlias = Callable[[Request], Awaitable[Reply]]
"""Answers requests. It is cancelled when the client hangs up."""
Touched: TypeAlias = Callable[[Request, Sequence[str]], None]
"""Told when a request has had to do with paths, absolute ones."""


def nobody_asks(_: Request, __: Sequence[str]) -> None:
    """Be told what requests have touched, and do nothing."""
