"""All terminals of the agent, by their ids: who joins which, and when one is given up."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from agent.kit.child import within
from agent.network import Frames
from agent.network.frames import Ended
from agent.pty.options import Command, NotReady, PtyOptions
from coder_cli.sdk.agentapi import ConnectionAction, ConnectionReport, ConnectionType, StreamClose

if TYPE_CHECKING:
    from agent.pty.client import Client
    from agent.pty.session import Session
    from agent.pty.wire import Init

GRACE: Final = 300.0
"""How long a terminal lives without clients, in seconds."""
ATTACH_WITHIN: Final = 30.0
MOST: Final = 100
"""Terminals of one agent."""
_CUT: Final = 255
_TERM: Final = "xterm-256color"
_LOGIN: Final = (
    'exec "$(getent passwd "$(id -un)" 2>/dev/null | cut -d: -f7 | grep . || echo sh)" -l'
)
log = logging.getLogger("agent.pty")


class Refusal(Exception):
    """The client cannot have its terminal; the message says why."""


class Terminals:
    """Serves port 2. Nothing listens: every stream was authorized by the server."""

    def __init__(self, options: PtyOptions) -> None:
        self._options = options
        self._sessions: dict[UUID, Session] = {}
        self._watches: dict[UUID, asyncio.Task[None]] = {}
        self._group = asyncio.TaskGroup()
        self._closed = asyncio.Event()

    @property
    def count(self) -> int:
        """Return how many clients look at terminals now."""
        return sum(len(session.clients) for session in self._sessions.values())

    async def run(self) -> None:
        """Own what outlives a client, until ``close``."""
        async with self._group:
            await self._closed.wait()
            for watch in self._watches.values():
                watch.cancel()

    async def close(self) -> None:
        """Take no more clients, and end those that are there; their processes end later."""
        self._closed.set()
        for session in self._sessions.values():
            for client in tuple(session.clients):
                client.finish(_CUT, "the agent is shutting down")

    async def end_all(self) -> None:
        """End every terminal's process."""
        await asyncio.gather(*(session.end() for session in self._sessions.values()))

    async def serve(self, frames: Frames) -> None:
        """Serve one client until it or its terminal ends."""
        from agent.pty.wire import BadWord

        if self._closed.is_set():
            await frames.close(StreamClose.UNREACHABLE, "the agent is shutting down")
            return
        try:
            client, rest = await self._greeted(frames)
            await self._attend(frames, client, rest)
        except (BadWord, Refusal) as no:
            await frames.send(f"{no}\r\n".encode())
            await frames.close(StreamClose.UNREACHABLE, str(no))

    async def _greeted(self, frames: Frames) -> "tuple[Client, bytes]":
        from agent.pty.client import Client
        from agent.pty.wire import init_length, read_init

        words = b""

        async def hear() -> None:
            nonlocal words
            with suppress(Ended):
                while (length := init_length(words)) is None or len(words) < length:
                    frame = await frames.recv()
                    words += frame if isinstance(frame, bytes) else frame.encode()

        if not await within(hear(), ATTACH_WITHIN, self._options.clock):
            raise Refusal("The client did not say within 30 seconds which terminal it wants.")
        length = init_length(words)
        if length is None or len(words) < length:
            raise Ended("the client left before it said which terminal it wants")
        return Client(frames, read_init(words[:length])), words[length:]

    async def _attend(self, frames: Frames, client: "Client", rest: bytes) -> None:
        session = self._joined(client)
        identity = uuid4()
        self._report(identity, ConnectionAction.CONNECT)
        code, reason = _CUT, "the client has gone"
        try:
            await client.talk(lambda said: session.hear(client, said), rest)
        except Ended as end:
            code, reason = (0, "the client has left") if end.clean else (_CUT, str(end))
        else:
            assert client.ending is not None
            code, reason = client.ending
        finally:
            session.leave(client)
            self._report(identity, ConnectionAction.DISCONNECT, code, reason)
            if not session.clients and not session.over:
                self._watch(client.init.id, session)
        await frames.close(1000, reason)

    def _joined(self, client: "Client") -> "Session":
        wanted = client.init
        watch = self._watches.pop(wanted.id, None)
        if watch is not None:
            watch.cancel()
        session = self._sessions.get(wanted.id)
        try:
            if session is None or session.over:
                session = self._started(wanted)
            session.join(client)
        except NotReady as error:
            raise Refusal(str(error)) from None
        except OSError as error:
            words = f"The terminal could not be started: {error.strerror or error}."
            raise Refusal(words) from None
        return session

    def _started(self, wanted: "Init") -> "Session":
        if len(self._sessions) >= MOST:
            raise Refusal(f"There are {MOST} terminals already. Close one, and try again.")
        from agent.pty.buffered import Buffered
        from agent.pty.multiplexer import Multiplexed, find_screen

        command = self._command(wanted)
        known = find_screen(command.env.get("PATH", ""))
        if wanted.backend == "screen" and not known:
            raise Refusal("There is no screen in this workspace; use the backend buffered.")
        session: Session | None = None
        if wanted.backend == "screen" or (known and not wanted.backend and sys.platform == "linux"):
            try:
                session = Multiplexed(self._options, command, wanted, self._spawn)
            except OSError as error:
                log.warning("screen cannot be used: %s", error)
        session = session or Buffered(self._options, command, wanted)
        self._sessions[wanted.id] = session
        made = session
        made.on_over = lambda: self._forget(wanted.id, made)
        return made

    def _command(self, wanted: "Init") -> Command:
        prepared = self._options.prepare(wanted.command)
        argv = _in_container(wanted) if wanted.container else prepared.argv
        return Command(argv, {**prepared.env, "TERM": _TERM}, prepared.cwd)

    def _watch(self, identity: UUID, session: "Session") -> None:
        if not self._closed.is_set() and identity not in self._watches:
            self._watches[identity] = self._group.create_task(self._give_up(identity, session))

    async def _give_up(self, identity: UUID, session: "Session") -> None:
        await self._options.clock.sleep(GRACE)
        self._watches.pop(identity, None)
        if not session.clients and not session.over:
            log.info("a terminal without clients is ended")
            self._forget(identity, session)
            await session.end()

    def _forget(self, identity: UUID, session: "Session") -> None:
        if self._sessions.get(identity) is session:
            del self._sessions[identity]
            watch = self._watches.pop(identity, None)
            if watch is not None:
                watch.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> object:
        return self._group.create_task(work)

    def _report(
        self, identity: UUID, action: ConnectionAction, code: int = 0, reason: str = ""
    ) -> None:
        now = self._options.clock.now()
        kind = ConnectionType.RECONNECTING_PTY
        self._options.report(
            ConnectionReport(identity, action, kind, now, status_code=code, reason=reason)
        )


def _in_container(wanted: "Init") -> list[str]:
    user = ["--user", wanted.container_user] if wanted.container_user else []
    asked = wanted.command or _LOGIN
    return [
        "docker",
        "exec",
        "-it",
        *user,
        "-e",
        f"TERM={_TERM}",
        wanted.container,
        "sh",
        "-c",
        asked,
    ]
