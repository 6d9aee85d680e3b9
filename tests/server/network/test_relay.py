"""Streams are found across replicas: lines here, dial-backs there, clients anywhere."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server.kit.authz import as_system
from server.kit.db import Database
from server.network import (
    Closed,
    NoSuchStream,
    Place,
    Relay,
    RelayCollector,
    Unreachable,
    all_alive,
    store,
)
from server.network.hop import Wish, read_wish
from tests.server.network.pipes import MemoryChannel, pair
from tests.support.clock import FakeClock

ME = as_system("test")


@dataclass
class FakeLine:
    """A line whose agent dials back to any replica, and echoes."""

    agent_id: UUID = field(default_factory=uuid4)
    dials: Relay | None = None
    streams: list[MemoryChannel] = field(default_factory=list[MemoryChannel])
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    says_no: str = ""

    async def open(self, stream_id: str, port: int) -> None:
        if self.says_no:
            raise Unreachable(self.says_no)
        if self.dials:
            self.tasks.append(asyncio.create_task(self.dial(self.dials, stream_id)))

    async def dial(self, relay: Relay, stream_id: str) -> None:
        near, far = pair()
        self.streams.append(far)
        async with relay.taking(stream_id, self.agent_id) as take:
            self.tasks.append(asyncio.create_task(echo(far)))
            await take(near)


async def echo(channel: MemoryChannel) -> None:
    try:
        while True:
            await channel.send(await channel.receive())
    except Closed:
        return


Start = Callable[[], Awaitable[Relay]]


@asynccontextmanager
async def running(database: Database, dial_back_within: float = 10) -> AsyncGenerator[Start]:
    """Yield a way to start replicas."""
    tasks: list[asyncio.Task[None]] = []

    async def start() -> Relay:
        relay = Relay(database, Place(hostname="here"), dial_back_within=dial_back_within)
        tasks.append(asyncio.create_task(relay.run()))
        await relay.listening.wait()
        return relay

    try:
        yield start
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def start(database: Database) -> AsyncGenerator[Start]:
    async with running(database) as start:
        yield start


@pytest.mark.parametrize("line_at", [0, 1])
@pytest.mark.parametrize("dials", [0, 1, 2])
async def test_a_stream_is_opened_wherever_line_and_dial_back_end(
    start: Start, line_at: int, dials: int
) -> None:
    replicas = [await start() for _ in range(3)]
    line = FakeLine(dials=replicas[dials])
    replicas[line_at].attach(line)
    stream = await replicas[0].open(line.agent_id, 22, replicas[line_at].id)
    for size in (1, 1000, 256 * 1024):
        await stream.send(b"x" * size)
        assert await stream.receive() == b"x" * size
    await stream.close()
    await asyncio.wait_for(line.streams[0].ended.wait(), 5)
    hops = sum(replica.counts().hops for replica in replicas)
    assert hops == (line_at != 0) + (dials != 0)
    await asyncio.gather(*line.tasks, return_exceptions=True)


async def test_without_a_line_a_stream_is_refused_at_once(start: Start) -> None:
    one, other = await start(), await start()
    for holder in (None, one.id, other.id):
        with pytest.raises(Unreachable, match="not connected"):
            await one.open(uuid4(), 22, holder)
    assert one.counts().failed == 3


async def test_a_line_elsewhere_is_preferred_to_a_half_open_one_here(start: Start) -> None:
    one, other = await start(), await start()
    stale = FakeLine()
    line = FakeLine(stale.agent_id, dials=one)
    one.attach(stale)
    other.attach(line)
    stream = await one.open(line.agent_id, 22, other.id)
    await stream.send(b"x")
    assert await stream.receive() == b"x"
    await stream.close()
    await asyncio.gather(*line.tasks)


async def test_a_dead_replica_is_not_asked(database: Database, start: Start) -> None:
    one = await start()
    with pytest.raises(Unreachable, match="is gone"):
        await one.open(uuid4(), 22, uuid4())
    ghost = store.Replica(
        uuid4(), "", "127.0.0.1:1", "v0", database.clock.now(), database.clock.now()
    )
    async with database.tx(ME) as tx:
        await store.register(tx, ghost)
    with pytest.raises(Unreachable, match="does not answer"):
        await one.open(uuid4(), 22, ghost.id)


async def test_an_agents_no_is_passed_on_from_another_replica(start: Start) -> None:
    one, other = await start(), await start()
    line = FakeLine(says_no="The workspace agent says: busy")
    other.attach(line)
    with pytest.raises(Unreachable, match="says: busy"):
        await one.open(line.agent_id, 22, other.id)


async def test_a_dial_back_has_its_time_and_not_more(database: Database) -> None:
    async with running(database, dial_back_within=0.05) as start:
        relay = await start()
        line = FakeLine()
        relay.attach(line)
        with pytest.raises(Unreachable, match="did not answer within"):
            await relay.open(line.agent_id, 22)
        assert relay.counts().failed == 1


async def test_a_stream_cannot_be_taken_by_another_agent_or_twice(start: Start) -> None:
    relay = await start()
    seen: list[str] = []

    class Watched(FakeLine):
        async def open(self, stream_id: str, port: int) -> None:  # pyright: ignore[reportImplicitOverride]
            seen.append(stream_id)
            with pytest.raises(NoSuchStream):
                async with relay.taking(stream_id, uuid4()):
                    raise AssertionError
            await super().open(stream_id, port)

    line = Watched(dials=relay)
    relay.attach(line)
    stream = await relay.open(line.agent_id, 22)
    for stream_id in (seen[0], f"{relay.id.hex}.unknown", "nonsense"):
        with pytest.raises(NoSuchStream):
            async with relay.taking(stream_id, line.agent_id):
                raise AssertionError
    await stream.close()
    await asyncio.gather(*line.tasks)


async def test_other_replicas_must_know_the_secret(database: Database, start: Start) -> None:
    await start()
    async with database.tx(ME) as tx:
        [me] = await all_alive(tx)
    path = Wish("stream", uuid4(), "x").path()
    for headers in ({}, {"Coder-Relay-Secret": "guess"}):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(f"ws://{me.relay_address}{path}", additional_headers=headers, proxy=None)
        assert refusal.value.response.status_code == 401


async def test_replicas_say_that_they_live_and_when_they_stop(dsn: str, clock: FakeClock) -> None:
    database = Database(dsn, clock=clock)
    await database.open()
    relay = Relay(database, Place(hostname="here"), clock)
    task = asyncio.create_task(relay.run())
    await relay.listening.wait()

    async def living() -> list[UUID]:
        async with database.tx(ME) as tx:
            return [replica.id for replica in await all_alive(tx)]

    assert await living() == [relay.id]
    clock_only = clock.now() + timedelta(seconds=20)
    for _ in range(4):
        await clock.advance(5)
        async with asyncio.timeout(10):
            while not await beaten(database, clock):  # noqa: ASYNC110 - a row rings no event
                await asyncio.sleep(0.01)
    assert clock.now() == clock_only
    assert await living() == [relay.id]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await living() == []
    await database.close()


async def beaten(database: Database, clock: FakeClock) -> bool:
    async with database.tx(ME) as tx:
        return await tx.value("SELECT updated_at FROM replicas") == clock.now()


async def test_a_replica_that_says_nothing_is_dead_after_fifteen_seconds(
    dsn: str, clock: FakeClock
) -> None:
    database = Database(dsn, clock=clock)
    await database.open()
    async with database.tx(ME) as tx:
        await store.register(tx, store.Replica(uuid4(), "", "x:1", "v0", tx.now, tx.now))
        assert len(await all_alive(tx)) == 1
    await clock.advance(15)
    async with database.tx(ME) as tx:
        assert await all_alive(tx) == []
        assert await store.forget_dead(tx) == 0
    await clock.advance(86_400)
    async with database.tx(ME) as tx:
        assert await store.forget_dead(tx) == 1
    await database.close()


async def test_the_secret_is_made_once(database: Database) -> None:
    async with database.tx(ME) as tx:
        first = await store.secret(tx)
    async with database.tx(ME) as tx:
        assert await store.secret(tx) == first
    assert len(first) == 32


def test_a_newer_line_takes_the_place_of_an_older_one() -> None:
    relay = Relay(Database("postgresql://nowhere"))
    agent = uuid4()
    older, newer = FakeLine(agent), FakeLine(agent)
    relay.attach(older)
    relay.attach(newer)
    relay.detach(older)
    assert relay.counts().lines == 1
    relay.detach(newer)
    assert relay.counts().lines == 0


async def test_figures_are_shown_to_prometheus(start: Start) -> None:
    relay = await start()
    line = FakeLine(dials=relay)
    relay.attach(line)
    client, near = pair()
    stream = await relay.open(line.agent_id, 22)
    joined = asyncio.create_task(relay.join(near, stream))
    await client.send(b"four")
    assert await client.receive() == b"four"
    registry = CollectorRegistry()
    registry.register(RelayCollector(relay))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"coderd_relay_{name}", labels)

    assert (value("lines"), value("streams"), value("opened_total")) == (1, 1, 1)
    assert (value("bytes_total", to="agent"), value("bytes_total", to="client")) == (4, 4)
    await client.close()
    await joined
    assert (value("streams"), value("failed_total")) == (0, 0)
    await asyncio.gather(*line.tasks)


def test_wishes_are_read_as_they_are_written() -> None:
    wish = Wish("open", uuid4(), "a.b-c_d", 8080)
    assert read_wish(wish.path()) == wish
    for nonsense in ("/", "/open", "/open?agent=x&stream=y&port=1", "/open?stream=y"):
        assert read_wish(nonsense) is None
