"""Open streams to agents, wherever in the deployment their lines and dial-backs end."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from coder_cli.kit.build import version
from coder_cli.kit.clock import Clock, SystemClock
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.errors import ApiError
from server.network import store
from server.network.channel import NORMAL, Channel, Stream
from server.network.errors import Closed, NoSuchStream, Unreachable
from server.network.hop import Wish, ask_to_open, asked, listening
from server.network.pump import pump

log = structlog.get_logger()

ME = as_system("relay")
HEARTBEAT = 5.0
DIAL_BACK_WITHIN = 10.0
GONE = 4404


class Line(Protocol):
    """The control line to one agent, as far as the relay uses it."""

    @property
    def agent_id(self) -> UUID:
        """Return whose line it is."""
        ...

    async def open(self, stream_id: str, port: int) -> None:
        """Ask the agent to dial back ``stream_id`` for ``port``; return when it agreed.

        Raises:
            Unreachable: the agent says no, or the line broke.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where this replica is: the address other replicas reach it at, and a name for people."""

    host: str = "127.0.0.1"
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What this replica's relay did so far; ``lines`` and ``streams`` are what is open now."""

    lines: int = 0
    streams: int = 0
    opened: int = 0
    failed: int = 0
    hops: int = 0
    bytes_up: int = 0
    """To agents."""
    bytes_down: int = 0
    """From agents."""


@dataclass(slots=True)
class _Tallies:
    streams: int = 0
    opened: int = 0
    failed: int = 0
    hops: int = 0
    up: int = 0
    down: int = 0

    def sent(self, size: int) -> None:
        self.up += size

    def received(self, size: int) -> None:
        self.down += size


@dataclass(slots=True)
class _Pending:
    """A stream that was asked for and not dialled back yet."""

    agent_id: UUID
    arrived: asyncio.Future[Stream] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Relay:
    """This replica's part of the relay: its agents' lines, and the streams that end here."""

    def __init__(
        self,
        database: Database,
        place: Place | None = None,
        clock: Clock | None = None,
        *,
        dial_back_within: float = DIAL_BACK_WITHIN,
    ) -> None:
        self.id = uuid4()
        self.listening = asyncio.Event()
        self._database = database
        self._place = place or Place()
        self._clock = clock or SystemClock()
        self._patience = dial_back_within
        self._secret = b""
        self._lines: dict[UUID, Line] = {}
        self._pending: dict[str, _Pending] = {}
        self._tallies = _Tallies()
        self._services: dict[str, Service] = {}

    def counts(self) -> Counts:
        """Return figures for metrics."""
        tallies = self._tallies
        return Counts(
            len(self._lines),
            tallies.streams,
            tallies.opened,
            tallies.failed,
            tallies.hops,
            tallies.up,
            tallies.down,
        )

    # Lines ---------------------------------------------------------------------------------------

    def attach(self, line: Line) -> None:
        """Take ``line`` as the way to its agent, in place of an older one."""
        self._lines[line.agent_id] = line

    def detach(self, line: Line) -> None:
        """Forget ``line``, unless a newer one of its agent has taken its place."""
        if self._lines.get(line.agent_id) is line:
            del self._lines[line.agent_id]

    # Streams -------------------------------------------------------------------------------------

    async def open(self, agent_id: UUID, port: int, holder: UUID | None = None) -> Stream:
        """Open a stream to ``port`` of an agent. The caller has checked that it may, and closes it.

        ``holder`` is the replica that is known to hold the agent's line, when it is not this one.

        Raises:
            Unreachable: there is no line, or the agent did not dial back in time.
        """
        # Letters, digits, "-" and "_": it is a part of a path. 128 bits cannot be guessed.
        stream_id = f"{self.id.hex}.{secrets.token_urlsafe(16)}"
        pending = self._pending[stream_id] = _Pending(agent_id)
        try:
            async with asyncio.timeout(self._patience):
                await self._ask(Wish("open", agent_id, stream_id, port), holder)
                stream = await pending.arrived
        except BaseException as error:
            self._tallies.failed += 1
            await _abandon(pending)
            if isinstance(error, TimeoutError):
                late = f"The workspace agent did not answer within {self._patience:g}s."
                raise Unreachable(late) from error
            raise
        finally:
            del self._pending[stream_id]
        self._tallies.opened += 1
        return stream

    async def join(
        self, client: Channel, agent: Stream, until: Awaitable[Closed] | None = None
    ) -> Closed:
        """Copy between a client and a stream until either ends, or ``until`` says so."""
        tallies = self._tallies
        tallies.streams += 1
        try:
            return await pump(client, agent, up=tallies.sent, down=tallies.received, until=until)
        finally:
            tallies.streams -= 1

    @asynccontextmanager
    async def taking(self, stream_id: str, agent_id: UUID) -> AsyncGenerator["Take"]:
        """Find who waits for a stream that ``agent_id`` dialled back.

        Inside, call what is yielded with the channel; it returns when the stream has ended.

        Raises:
            NoSuchStream: nobody does.
            Unreachable: the replica that does is gone.
        """
        if stream_id.startswith(f"{self.id.hex}."):
            pending = self._pending.get(stream_id)
            if pending is None or pending.agent_id != agent_id or pending.arrived.done():
                raise NoSuchStream
            yield _deliver_to(pending)
            return
        address = await self._address(_replica_of(stream_id))
        wish = Wish("stream", agent_id, stream_id)
        async with asked(address, self._secret, wish) as far:
            self._tallies.hops += 1
            yield _copy_to(far)

    async def _ask(self, wish: Wish, holder: UUID | None) -> None:
        if holder is not None and holder != self.id:
            # Even with a line of our own: the agent came back elsewhere, and ours is half open.
            self._tallies.hops += 1
            await ask_to_open(await self._address(holder), self._secret, wish)
            return
        line = self._lines.get(wish.agent_id)
        if line is None:
            raise Unreachable("The workspace agent is not connected.")
        await line.open(wish.stream_id, wish.port)

    # Other replicas ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Be a replica: listen to the others, and say every few seconds that we live."""
        async with self._database.tx(ME) as tx:
            self._secret = await store.secret(tx)
            await store.forget_dead(tx)
        async with listening(self._place.host, self._secret, self._grant) as address:
            now = self._clock.now()
            me = store.Replica(self.id, self._place.hostname, address, version(), now, now)
            await self._register(me)
            log.info("replica joined", replica=str(self.id), relay_address=address)
            self.listening.set()
            try:
                await self._beat(me)
            finally:
                self.listening.clear()
                async with self._database.tx(ME) as tx:
                    await store.stop(tx, self.id)

    async def _beat(self, me: store.Replica) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT)
            try:
                await self._register(me)
            except ApiError as error:
                # The database may be restarting; the next beat tries again.
                log.warning("heartbeat of this replica failed", error=error.message)

    async def _register(self, me: store.Replica) -> None:
        async with self._database.tx(ME) as tx:
            await store.register(tx, replace(me, updated_at=tx.now))

    def serve(self, what: str, service: "Service") -> None:
        """Answer other replicas that ask for ``what`` about a thing of the rooms above."""
        self._services[what] = service

    @asynccontextmanager
    async def call(self, replica_id: UUID, what: str, about: UUID) -> AsyncGenerator[Channel]:
        """Ask another replica for ``what``; yield the channel to it.

        Raises:
            Unreachable: it is gone, or does not answer.
        """
        address = await self._address(replica_id)
        async with asked(address, self._secret, Wish(what, about, "-")) as far:
            self._tallies.hops += 1
            yield far

    async def _address(self, replica_id: UUID) -> str:
        async with self._database.tx(ME) as tx:
            replica = await store.alive(tx, replica_id)
        if replica is None:
            raise Unreachable("The server that held the workspace's line is gone; try again.")
        return replica.relay_address

    async def _grant(self, wish: Wish, channel: Channel) -> None:
        match wish.what:
            case "open":
                await self._ask(wish, None)
                await channel.close(NORMAL)
            case "stream":
                async with self.taking(wish.stream_id, wish.agent_id) as take:
                    await take(channel)
            case what if service := self._services.get(what):
                await service(wish.agent_id, channel)
                await channel.close(NORMAL)
            case _:
                raise Unreachable("A replica asked for something unknown.")


Service = Callable[[UUID, Channel], Awaitable[None]]
"""Answers another replica about a thing; returns when there is nothing more to say."""

Take = Callable[[Channel], Awaitable[None]]


def _deliver_to(pending: _Pending) -> Take:
    async def deliver(channel: Channel) -> None:
        stream = Stream(channel)
        if pending.arrived.done():
            await stream.close(GONE, "Nobody waits for this stream any more.")
            return
        pending.arrived.set_result(stream)
        await stream.wait_ended()

    return deliver


def _copy_to(far: Channel) -> Take:
    async def copy(channel: Channel) -> None:
        await pump(far, channel, up=_ignore, down=_ignore)

    return copy


def _ignore(_size: int) -> None:
    """Bytes are counted once, by the replica where the stream was opened."""


async def _abandon(pending: _Pending) -> None:
    """Wait for a stream no longer; close it if it arrived in the very moment its time ran out."""
    if not pending.arrived.cancel() and not pending.arrived.cancelled():
        await pending.arrived.result().close(GONE, "Nobody waits for this stream any more.")


def _replica_of(stream_id: str) -> UUID:
    try:
        return UUID(hex=stream_id.partition(".")[0])
    except ValueError:
        raise NoSuchStream from None
