"""One end of the line between a server and a provisioner daemon elsewhere.

JSON-RPC 2.0 in text frames, as on the line of agents. What may be large (an order, a result, lines
of a log) travels as a body: binary frames ahead of the message, a few at a time, so that heartbeats
pass between them. Both ends are this class.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol, TypeAlias

import structlog

from coder_cli.sdk.agentapi import BadShape, Failure, Json, Message, Request, Result, decode, encode
from server.kit.errors import Unavailable
from server.provisioning.errors import CallRefused, LeaseLost, LineAbused, LineEnded, Refusal
from server.provisioning.model.bodies import LARGEST_BODY, Bodies, pieces

log = structlog.get_logger()

PIECES_AT_ONCE = 2
MOST_CALLS = 16
"""How many calls of the other end are answered at a time."""
LARGEST_TEXT = 1024 * 1024
SYNC = "sync"


class Frames(Protocol):
    """A WebSocket that is open."""

    async def send(self, frame: str | bytes) -> None:
        """Send one frame. Raises ``LineEnded``."""
        ...

    async def receive(self) -> str | bytes:
        """Return the next frame. Raises ``LineEnded``."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """What one message says, beside its name: a value, and a body that may be large."""

    value: Mapping[str, Json]
    body: bytes = b""


Answer: TypeAlias = Callable[[str, Said], Awaitable[Said]]
"""Answers a call by its name.

It may raise ``LeaseLost``, ``Unavailable``, ``CallRefused`` and ``BadShape``.
"""


class Wire:
    """One end of an open line."""

    def __init__(self, frames: Frames, answer: Answer, largest: int = LARGEST_BODY) -> None:
        self._frames = frames
        self._answer_call = answer
        self._bodies = Bodies(largest)
        self._largest = largest
        self._numbers = count(1)
        self._pending: dict[int, asyncio.Future[Said]] = {}
        self._calls = 0
        self._shipping = asyncio.Lock()

    async def call(self, name: str, value: Mapping[str, Json], body: bytes = b"") -> Said:
        """Call the other end and return its answer.

        Raises:
            LineEnded: the line ended before an answer came.
            LeaseLost, Unavailable, CallRefused: the other end says so.
        """
        number = next(self._numbers)
        pending = self._pending[number] = asyncio.get_running_loop().create_future()
        try:
            shipped = await self._ship(body)
            await self._say(Request(name, _packed(value, shipped), number))
            return await pending
        finally:
            del self._pending[number]

    async def tell(self, name: str, value: Mapping[str, Json]) -> None:
        """Tell the other end something that needs no answer.

        Raises:
            LineEnded: the line is over.
        """
        await self._say(Request(name, _packed(value, None)))

    async def run(self) -> None:
        """Read and answer until the line ends.

        Raises:
            LineEnded: it ended; the text says why.
        """
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await self._take(await self._frames.receive(), group)
        except* (LineEnded, LineAbused) as ends:
            raise first_end(ends) from None
        finally:
            for pending in self._pending.values():
                if not pending.done():
                    pending.set_exception(LineEnded("the line broke"))

    async def _take(self, frame: str | bytes, group: asyncio.TaskGroup) -> None:
        if isinstance(frame, bytes):
            self._bodies.take_in(frame)
            return
        if len(frame) > LARGEST_TEXT:
            raise LineAbused("a message is too long")
        try:
            message = decode(frame)
        except (BadShape, RecursionError):
            raise LineAbused("a message is not JSON-RPC 2.0") from None
        match message:
            case Request():
                if self._calls >= MOST_CALLS:
                    raise LineAbused("too many calls at once")
                self._calls += 1
                group.create_task(self._reply(message, self._unpacked(message.params)))
            case Result():
                self._settle(message.id, self._unpacked(message.result))
            case Failure():
                self._settle(message.id, _refused(message))

    async def _reply(self, request: Request, said: Said) -> None:
        try:
            reply = await self._result(request, said)
            if request.id is not None:
                await self._say(reply)
        finally:
            self._calls -= 1

    async def _result(self, request: Request, said: Said) -> Message:
        if request.method == SYNC:
            return Result(request.id, _packed({}, None))
        try:
            answer = await self._answer_call(request.method, said)
            shipped = await self._ship(answer.body)
            return Result(request.id, _packed(answer.value, shipped))
        except LineEnded:
            raise
        except Exception as error:  # noqa: BLE001 - what is unexpected is logged there
            return _failure(request, error)

    async def _ship(self, body: bytes) -> tuple[int, int] | None:
        """Send a body; return its number and size."""
        if not body:
            return None
        if len(body) > self._largest:
            raise CallRefused(
                f"the payload was too big: {len(body) >> 20} MiB; "
                f"{self._largest >> 20} MiB is the most"
            )
        number = next(self._numbers)
        async with self._shipping:
            for position, piece in enumerate(pieces(number, body), 1):
                await self._frames.send(piece)
                if position % PIECES_AT_ONCE == 0:
                    # The answer says that these have arrived: nothing piles up ahead of a beat.
                    await self.call(SYNC, {})
        return number, len(body)

    async def _say(self, message: Message) -> None:
        await self._frames.send(encode(message))

    def _unpacked(self, packed: Json) -> Said:
        match packed:
            case {"value": dict(), "body": [int(number), int(size)]}:
                return Said(packed["value"], self._bodies.hand_out(number, size))
            case {"value": dict()}:
                return Said(packed["value"])
            case _:
                raise LineAbused("a message has another form than agreed")

    def _settle(self, number: int | str | None, answer: Said | Exception) -> None:
        pending = self._pending.get(number) if isinstance(number, int) else None
        if pending is None or pending.done():
            return
        if isinstance(answer, Said):
            pending.set_result(answer)
        else:
            pending.set_exception(answer)


def _packed(value: Mapping[str, Json], shipped: tuple[int, int] | None) -> Mapping[str, Json]:
    return {"value": value} if shipped is None else {"value": value, "body": list(shipped)}


def _failure(request: Request, error: Exception) -> Failure:
    match error:
        case LeaseLost():
            code, words = Refusal.LEASE_LOST, "the job belongs to another worker"
        case Unavailable():
            code, words = Refusal.UNAVAILABLE, error.message
        case CallRefused() | BadShape():
            code, words = Refusal.REFUSED, str(error)
        case _:
            # Never what was said: orders and results hold secrets.
            log.error("a call of a provisioner line failed", method=request.method, exc_info=error)
            code, words = Refusal.INTERNAL, "internal error"
    return Failure(request.id, code, words)


def _refused(failure: Failure) -> Exception:
    match failure.code:
        case Refusal.LEASE_LOST:
            return LeaseLost()
        case Refusal.UNAVAILABLE:
            return Unavailable(failure.message)
        case _:
            return CallRefused(failure.message, failure.code)


def first_end(ends: BaseExceptionGroup[LineEnded | LineAbused]) -> LineEnded:
    """Return why a line ended: the first of what a group of tasks met."""
    found: BaseException = ends
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, LineEnded) else LineEnded(str(found), 1008)
