"""The one line that an agent keeps to its server: JSON-RPC both ways, up again after every loss."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import TypeAlias, TypeVar

from agent.kit.child import within
from agent.network import Frames, Refused, Unreachable
from agent.network.frames import Ended
from agent.upstream.backoff import Backoff
from coder_cli.kit.clock import Clock
from coder_cli.sdk import agentapi
from coder_cli.sdk.agentapi import ErrorCode, Failure, Json, Method, Request, Result

T = TypeVar("T")
Handler: TypeAlias = Callable[[Mapping[str, Json]], Awaitable[object]]
"""Answers a call of the server: params to a shape, or raises ``BadShape``."""
ANSWER_WITHIN = 30.0
HURRIED = 0.5
log = logging.getLogger("agent.upstream")


class LineDown(Exception):
    """The call was not answered: the line is down, or went. Try again when it is up."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent
        """The call had left: the server may have heard it."""


class CallFailed(Exception):
    """The server understood the call and said no."""


class Line:
    """Keep the line up, call the server over it, and answer its calls.

    ``greet`` runs each time that the line has come up; the line counts as working when it is done.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[Frames]],
        clock: Clock,
        *,
        handlers: Mapping[str, Handler],
        greet: Callable[[], Awaitable[None]],
        luck: Callable[[], float] = random.random,
    ) -> None:
        self.up = asyncio.Event()
        self.latency_ms = 0.0
        """How long the last ping took, there and back."""
        self._dial = dial
        self._clock = clock
        self._handlers = handlers
        self._greet = greet
        self._luck = luck
        self._backoff = Backoff()
        self._frames: Frames | None = None
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[Json]] = {}
        self._hurry = asyncio.Event()
        self._closed = False
        self._last_trouble = ""

    async def run(self) -> None:
        """Keep the line up for ever."""
        while True:
            wait = await self._attempt()
            if self._hurry.is_set():
                await self._clock.sleep(min(wait, HURRIED))
            else:
                await within(self._hurry.wait(), wait, self._clock)

    def hurry(self) -> None:
        """Announce the end: the last words must not wait for the end of a long back-off."""
        self._hurry.set()

    async def close(self) -> None:
        """Say good-bye. The caller cancels ``run``."""
        self._closed = True
        if self._frames:
            await self._frames.close(1000, "the agent has ended")

    async def call(self, method: Method, params: object, answer: type[T]) -> T:
        """Call the server and return its answer.

        Raises:
            LineDown: there was no answer.
            CallFailed: the server said no.
        """
        if self._frames is None:
            raise LineDown(method, sent=False)
        number = next(self._ids)
        pending = self._pending[number] = asyncio.get_running_loop().create_future()
        try:
            body = agentapi.encode(Request(method, agentapi.to_json(params), number))
            await self._frames.send(body)
            if not await within(_settled(pending), ANSWER_WITHIN, self._clock):
                raise LineDown(f"no answer to {method} in {ANSWER_WITHIN:.0f} s", sent=True)
            return agentapi.from_json(answer, pending.result())
        except Ended:
            raise LineDown(method, sent=False) from None
        except agentapi.BadShape as error:
            raise CallFailed(f"{method}: {error}") from None
        finally:
            del self._pending[number]

    async def _attempt(self) -> float:
        """Bring the line up and use it up; return how long to wait."""
        try:
            frames = await self._dial()
        except Refused as no:
            self._complain(str(no))
            return self._backoff.refused(self._luck())
        except Unreachable as error:
            self._complain(f"the server cannot be reached: {error}")
            return self._backoff.failed(self._luck())
        reason = await self._use(frames)
        self._complain(f"the line to the server is down: {reason}")
        return self._backoff.failed(self._luck())

    async def _use(self, frames: Frames) -> str:
        self._frames = frames
        self.up.set()
        reasons: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(frames))
                group.create_task(self._ping(frames))
                group.create_task(self._welcome())
        except* Ended as ends:
            reasons += [str(end) for end in ends.exceptions]
        except* CallFailed as failures:
            reasons += [str(failure) for failure in failures.exceptions]
        finally:
            self.up.clear()
            self._frames = None
            for pending in self._pending.values():
                if not pending.done():
                    pending.set_exception(LineDown("the line broke", sent=True))
            frames.abort()
        if self._closed:
            # Python 3.11 loses a cancellation that comes together with an error of the group.
            raise asyncio.CancelledError
        return "; ".join(reasons)

    async def _welcome(self) -> None:
        try:
            await self._greet()
        except LineDown as down:
            raise Ended(str(down)) from None
        except CallFailed:
            raise
        except Exception:  # The next line may fare better; the agent goes on.
            log.exception("the agent could not introduce itself")
            raise Ended("the agent could not introduce itself") from None
        self._backoff.succeeded()
        self._last_trouble = ""
        log.info("the line to the server is up")

    async def _listen(self, frames: Frames) -> None:
        while True:
            text = await frames.recv()
            try:
                message = agentapi.decode(text)
            except agentapi.BadShape as error:
                answer = Failure(None, ErrorCode.PARSE, str(error))
                await frames.send(agentapi.encode(answer))
                continue
            match message:
                case Request():
                    await self._answer(frames, message)
                case Result() | Failure():
                    self._settle(message)

    async def _answer(self, frames: Frames, request: Request) -> None:
        handler = self._handlers.get(request.method)
        answer: Result | Failure
        try:
            if handler is None:
                code, words = ErrorCode.UNKNOWN_METHOD, f"unknown method {request.method!r}"
                answer = Failure(request.id, code, words)
            else:
                result = agentapi.to_json(await handler(request.params))
                answer = Result(request.id, result)
        except agentapi.BadShape as error:
            answer = Failure(request.id, ErrorCode.INVALID_PARAMS, str(error))
        except Exception:  # A bug in one answer must not end the agent.
            log.exception("the server's call of %s failed", request.method)
            answer = Failure(request.id, ErrorCode.INTERNAL, "the agent failed to answer")
        if request.id is not None:
            await frames.send(agentapi.encode(answer))

    def _settle(self, answer: Result | Failure) -> None:
        pending = self._pending.get(answer.id) if isinstance(answer.id, int) else None
        if pending is None or pending.done():
            return
        match answer:
            case Result():
                pending.set_result(answer.result)
            case Failure():
                pending.set_exception(CallFailed(answer.message))

    async def _ping(self, frames: Frames) -> None:
        async def beat() -> None:
            sent = self._clock.monotonic()
            await (await frames.ping())
            self.latency_ms = (self._clock.monotonic() - sent) * 1000

        while True:
            await self._clock.sleep(agentapi.PING_EVERY)
            if not await within(beat(), agentapi.PONG_WITHIN, self._clock):
                raise Ended(f"no sign of life for {agentapi.PONG_WITHIN:.0f} s")

    def _complain(self, trouble: str) -> None:
        # The same trouble every ten seconds for a whole night is one line, not thousands.
        level = logging.DEBUG if trouble == self._last_trouble else logging.WARNING
        self._last_trouble = trouble
        log.log(level, "%s", trouble)


async def _settled(pending: "asyncio.Future[Json]") -> None:
    await asyncio.wait({pending})
