"""The control line of one agent: calls both ways, signs of life, and an end for a reason."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from coder_cli.sdk import agentapi as api
from server.agents.actions.calls import Caller, UnknownMethod, answer
from server.agents.model import is_monitored
from server.agents.store import lines as store
from server.kit.errors import ApiError, Unavailable
from server.network import Closed, Unreachable, first
from server.workspaces import agent as find_agent
from server.workspaces import topic as workspace_topic

log = structlog.get_logger()

OUTDATED = 4403
SILENT = 4408
TRY_AGAIN = 1013
ANSWER_WITHIN = 10.0
LOOK_EVERY = 30.0
"""Seconds between looks at the build; a change of the workspace is heard of at once."""
MOST_QUEUED = 64


class Wire(Protocol):
    """A WebSocket of text frames."""

    async def receive(self) -> str:
        """Return the next frame. Raises ``Closed``."""
        ...

    async def send(self, text: str) -> None:
        """Send a frame. Raises ``Closed``."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """End the line."""
        ...


@dataclass(slots=True, eq=False)
class ControlLine:
    """One line; also what the relay asks to have streams dialled back."""

    caller: Caller
    wire: Wire
    id: UUID = field(default_factory=uuid4)
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _calls: dict[int, asyncio.Future[api.Json]] = field(
        default_factory=dict[int, "asyncio.Future[api.Json]"]
    )
    _requests: asyncio.Queue[api.Request] = field(
        default_factory=lambda: asyncio.Queue[api.Request](MOST_QUEUED)
    )

    @property
    def agent_id(self) -> UUID:
        """Return whose line it is."""
        return self.caller.identity.agent_id

    async def open(self, stream_id: str, port: int) -> None:
        """Ask the agent to dial back.

        Raises:
            Unreachable: it says no, or does not answer.
        """
        await self.call(api.Method.OPEN, api.Open(stream_id, port))

    async def call(self, method: api.Method, params: object) -> api.Json:
        """Call the agent and return what it answers.

        Raises:
            Unreachable: the line broke, no answer came, or the agent says no.
        """
        number = next(self._ids)
        pending = self._calls[number] = asyncio.get_running_loop().create_future()

        async def asked() -> api.Json:
            # Sending may hang as well: nobody takes anything out of a half-open line.
            await self.wire.send(api.encode(api.Request(method, api.to_json(params), number)))
            return await pending

        try:
            return await first([asked(), self._late()])
        except Closed as closed:
            raise Unreachable("The line to the workspace agent broke.") from closed
        finally:
            del self._calls[number]

    async def run(self, *, pinged: bool) -> Closed:
        """Serve the line until it ends; return why."""
        ways = [self._read(), self._answer(), self._watch()]
        ended = await first([*ways, self._ping()] if pinged else ways)
        for pending in self._calls.values():
            if not pending.done():
                pending.set_exception(Unreachable("The line to the workspace agent broke."))
        return ended

    async def _read(self) -> Closed:
        try:
            while True:
                await self._take(await self.wire.receive())
        except Closed as closed:
            return closed

    async def _take(self, text: str) -> None:
        try:
            message = api.decode(text)
        except api.BadShape as error:
            await self._say(api.Failure(None, api.ErrorCode.PARSE, str(error)))
            return
        match message:
            case api.Request():
                # A full queue stops the reading: an agent that calls too fast waits.
                await self._requests.put(message)
            case api.Result() | api.Failure():
                self._settle(message)

    def _settle(self, message: api.Result | api.Failure) -> None:
        pending = self._calls.get(message.id) if isinstance(message.id, int) else None
        if pending is None or pending.done():
            return
        match message:
            case api.Result():
                pending.set_result(message.result)
            case api.Failure():
                pending.set_exception(Unreachable(f"The workspace agent says: {message.message}"))

    async def _answer(self) -> Closed:
        """Answer one call after the other: reports are written in the order they were made."""
        try:
            while True:
                request = await self._requests.get()
                reply = await self._reply(request)
                if request.id is not None:
                    await self._say(reply)
        except Unavailable as error:
            # The agent must not take this for an answer: it says everything again later.
            return Closed(TRY_AGAIN, error.message)
        except Closed as closed:
            return closed

    async def _reply(self, request: api.Request) -> api.Result | api.Failure:
        try:
            return api.Result(request.id, await answer(self.caller, request))
        except UnknownMethod:
            words = f"unknown method {request.method!r}"
            return api.Failure(request.id, api.ErrorCode.UNKNOWN_METHOD, words)
        except api.BadShape as error:
            return api.Failure(request.id, api.ErrorCode.INVALID_PARAMS, str(error))
        except Unavailable:
            raise
        except ApiError as error:
            words = f"{error.message} {error.detail}".rstrip()
            return api.Failure(request.id, api.ErrorCode.INTERNAL, words)
        except Exception:
            # Never the params: a manifest or a log may hold secrets.
            log.exception("call of an agent failed", method=request.method)
            return api.Failure(request.id, api.ErrorCode.INTERNAL, "internal error")

    async def _say(self, message: api.Message) -> None:
        await self.wire.send(api.encode(message))

    async def _ping(self) -> Closed:
        while True:
            await self.caller.board.clock.sleep(api.PING_EVERY)
            try:
                await self.call(api.Method.PING, api.Empty())
            except Unreachable:
                return Closed(SILENT, f"no sign of life for {ANSWER_WITHIN:g}s")

    async def _watch(self) -> Closed:
        """Return when a newer build has replaced the agent."""
        identity, board = self.caller.identity, self.caller.board
        with board.pubsub.bell(workspace_topic(identity.workspace_id)) as bell:
            while True:
                if await self._is_outdated():
                    return Closed(OUTDATED, "The workspace has a newer build.")
                await bell.wait(timeout=LOOK_EVERY)

    async def _is_outdated(self) -> bool:
        board = self.caller.board
        try:
            async with board.database.tx(board.actor) as tx:
                now = await find_agent(tx, self.agent_id)
        except Unavailable:
            return False
        return now is None or not now.latest

    async def _late(self) -> api.Json:
        await self.caller.board.clock.sleep(ANSWER_WITHIN)
        raise Unreachable(f"The workspace agent did not answer within {ANSWER_WITHIN:g}s.")


async def serve(caller: Caller, wire: Wire, *, version: str, role: str) -> None:
    """Serve an accepted line until it ends, and keep the agent's connection times.

    A line of another role than the agent's touches no times and gets no streams.
    """
    line = ControlLine(caller, wire)
    ended = Closed(1012, "the server is stopping")
    monitored = is_monitored(role)
    try:
        if monitored:
            await _arrive(line, version)
        ended = await line.run(pinged=monitored)
    finally:
        if monitored:
            await _leave(line)
        await wire.close(ended.code, ended.reason)
    log.info(
        "line of an agent ended", agent=str(line.agent_id), code=ended.code, reason=ended.reason
    )


async def _arrive(line: ControlLine, version: str) -> None:
    board = line.caller.board
    arrival = store.Arrival(line.agent_id, line.id, board.relay.id, version)
    async with board.database.tx(board.actor) as tx:
        await store.connect(tx, arrival)
        await line.caller.tell(tx)
    board.relay.attach(line)
    board.connections.add(line.id)
    log.info("agent connected", agent=str(line.agent_id))


async def _leave(line: ControlLine) -> None:
    board = line.caller.board
    board.relay.detach(line)
    board.connections.discard(line.id)
    try:
        async with board.database.tx(board.actor) as tx:
            # Exactly one word for each change: an older line that ends says nothing.
            if await store.disconnect(tx, line.agent_id, line.id):
                await line.caller.tell(tx)
    except Unavailable as error:
        # Without beats, some replica's sweep records it as soon as the database is back.
        log.warning("end of a line was not recorded", error=error.message)
