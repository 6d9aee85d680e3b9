"""Connection times: the latest disconnection counts, and each change is told exactly once."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from typing_extensions import override

from coder_cli.sdk import agentapi as api
from server.agents.actions import control
from server.agents.actions.calls import Caller
from server.agents.actions.control import ControlLine
from server.agents.store import lines as store
from server.kit.authz import as_system
from server.kit.db import Tx
from server.kit.pubsub import Mailbox
from server.network import Closed
from server.provisioning import AgentStatus
from server.workspaces import agent as find_agent
from tests.server.agents.house import House, Replica, opened, scripted, until
from tests.server.agents.rows import AgentRows
from tests.support.clock import FakeClock, settle

ME = as_system("test")


@pytest.fixture
async def house(dsn: str, clock: FakeClock) -> AsyncGenerator[House]:
    """A deployment whose time stands still."""
    async with opened(dsn, clock) as house:
        yield house


@pytest.fixture
async def box(replica: Replica, agent: AgentRows) -> AsyncGenerator[Mailbox]:
    """What is told of the agent's workspace."""
    with replica.board.pubsub.mailbox(f"workspace:{agent.workspace_id}") as box:
        yield box


async def status(house: House, agent: AgentRows) -> AgentStatus:
    async with house.database.tx(ME) as tx:
        place = await store.whereabouts(tx, agent.id)
        assert place
        return place.status(tx.now)


async def gone(house: House, agent: AgentRows) -> bool:
    return (await house.row(agent))["connection_id"] is None


async def test_an_agent_connects_and_disconnects_and_each_is_told_once(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock, box: Mailbox
) -> None:
    assert await status(house, agent) is AgentStatus.CONNECTING
    async with scripted(replica, agent):
        assert await status(house, agent) is AgentStatus.CONNECTED
        assert await house.told(box, agent) == 1
        row = await house.row(agent)
        assert row["first_connected_at"] == row["last_connected_at"] == clock.now()
        assert row["connected_replica_id"] == replica.relay.id
    await until(lambda: gone(house, agent))
    assert await status(house, agent) is AgentStatus.DISCONNECTED
    assert await house.told(box, agent) == 1
    assert replica.relay.counts().lines == 0


async def test_the_latest_disconnection_is_recorded_even_after_an_earlier_one(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock
) -> None:
    first = clock.now()
    for _ in range(2):
        async with scripted(replica, agent):
            assert await status(house, agent) is AgentStatus.CONNECTED
            await clock.advance(3)
        await until(lambda: gone(house, agent))
        assert await status(house, agent) is AgentStatus.DISCONNECTED
        await clock.advance(60)
    row = await house.row(agent)
    assert row["first_connected_at"] == first
    assert row["last_connected_at"] == first + timedelta(seconds=63)
    assert row["disconnected_at"] == first + timedelta(seconds=66)


async def test_an_old_lines_end_does_not_disconnect_a_newer_one(
    house: House, replica: Replica, agent: AgentRows, box: Mailbox
) -> None:
    async with scripted(replica, agent) as newer:
        async with scripted(replica, agent, role="logstream-kube"):
            pass
        row = await house.row(agent)
        async with scripted(replica, agent):
            newest = await house.row(agent)
            assert newest["connection_id"] != row["connection_id"]
            await house.told(box, agent)
            await newer.line.close()
            await until(lambda: lines_are(replica, 1))
            assert await house.told(box, agent) == 0
            assert await status(house, agent) is AgentStatus.CONNECTED
            assert (await house.row(agent))["connection_id"] == newest["connection_id"]
            async with replica.stream(agent, 22, house.token) as stream:
                await stream.send(b"through the newer line")
                assert await stream.recv() == b"through the newer line"


async def lines_are(replica: Replica, number: int) -> bool:
    return len(replica.board.connections) == number


async def test_beats_keep_an_agent_connected_and_are_not_told(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock, box: Mailbox
) -> None:
    async with scripted(replica, agent):
        await house.told(box, agent)
        for _ in range(5):
            await clock.advance(5)
            await replica.board.beat()
            assert await status(house, agent) is AgentStatus.CONNECTED
        assert await house.told(box, agent) == 0
        assert (await house.row(agent))["last_connected_at"] == clock.now()


async def connect_to_a_dead_replica(tx: Tx, agent: AgentRows) -> None:
    await store.connect(tx, store.Arrival(agent.id, uuid4(), uuid4(), "2.0"))


async def test_agents_of_a_dead_replica_are_disconnected_and_that_is_told_once(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock, box: Mailbox
) -> None:
    async with house.database.tx(ME) as tx:
        await connect_to_a_dead_replica(tx, agent)
    await clock.advance(15)
    await replica.board.beat()
    assert await status(house, agent) is AgentStatus.CONNECTED
    await clock.advance(1)
    assert await status(house, agent) is AgentStatus.DISCONNECTED
    await asyncio.gather(*(replica.board.beat() for _ in range(3)))
    assert await house.told(box, agent) == 1
    assert (await house.row(agent))["disconnected_at"] == clock.now()


async def test_an_agent_that_was_taken_for_gone_is_connected_again_with_its_next_beat(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock, box: Mailbox
) -> None:
    async with scripted(replica, agent):
        await house.told(box, agent)
        async with house.database.tx(ME) as tx:
            await tx.run(
                "UPDATE workspace_agents SET disconnected_at = %(at)s",
                {"at": clock.now() + timedelta(seconds=1)},
            )
        assert await status(house, agent) is AgentStatus.DISCONNECTED
        await replica.board.beat()
        assert await house.told(box, agent) == 1
        assert await status(house, agent) is AgentStatus.CONNECTED


async def test_never_connected_is_connecting_until_the_timeout(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock
) -> None:
    await clock.advance(120)
    assert await status(house, agent) is AgentStatus.CONNECTING
    await clock.advance(1)
    assert await status(house, agent) is AgentStatus.TIMEOUT
    async with scripted(replica, agent):
        assert await status(house, agent) is AgentStatus.CONNECTED


class QuietWire:
    """A line to an agent that says nothing, or that answers pings."""

    def __init__(self, answer: Callable[[str], str | None] = lambda _: None) -> None:
        self.sent: list[str] = []
        self.closed: tuple[int, str] | None = None
        self._answer = answer
        self._inbox: asyncio.Queue[str] = asyncio.Queue()

    async def receive(self) -> str:
        return await self._inbox.get()

    async def send(self, text: str) -> None:
        self.sent.append(text)
        if answer := self._answer(text):
            self._inbox.put_nowait(answer)

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


def pong(text: str) -> str:
    match api.decode(text):
        case api.Request() as request:
            return api.encode(api.Result(request.id, {}))
        case _:
            raise AssertionError(text)


async def caller(house: House, replica: Replica, agent: AgentRows) -> Caller:
    async with house.database.tx(ME) as tx:
        identity = await find_agent(tx, agent.id)
    assert identity
    return Caller(replica.board, identity)


async def test_a_half_open_line_is_given_up_within_fifteen_seconds(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock
) -> None:
    wire = QuietWire()
    who = await caller(house, replica, agent)
    serving = asyncio.create_task(control.serve(who, wire, version="2.0", role="agent"))
    await until(lambda: lines_are(replica, 1))
    await clock.advance(14)
    assert not serving.done()
    await clock.advance(1)
    await asyncio.wait_for(serving, 10)
    assert wire.closed == (4408, "no sign of life for 10s")
    assert await status(house, agent) is AgentStatus.DISCONNECTED


async def test_a_line_that_takes_nothing_is_given_up_too(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock
) -> None:
    class Stuck(QuietWire):
        @override
        async def send(self, text: str) -> None:
            await asyncio.Event().wait()

    line = ControlLine(await caller(house, replica, agent), Stuck())
    running = asyncio.create_task(line.run(pinged=True))
    for _ in range(3):
        await clock.advance(5)
    assert (await asyncio.wait_for(running, 10)).code == 4408


async def test_a_line_that_answers_pings_stays_up(
    house: House, replica: Replica, agent: AgentRows, clock: FakeClock
) -> None:
    wire = QuietWire(pong)
    line = ControlLine(await caller(house, replica, agent), wire)
    running = asyncio.create_task(line.run(pinged=True))
    for _ in range(12):
        await clock.advance(5)
    assert not running.done()
    assert len(wire.sent) == 12
    running.cancel()
    await settle()


async def test_calls_that_wait_when_the_line_ends_are_told(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    class Torn(QuietWire):
        @override
        async def receive(self) -> str:
            await settle()
            raise Closed(1011, "torn")

    line = ControlLine(await caller(house, replica, agent), Torn())
    opening = asyncio.create_task(line.open("x", 22))
    ended = await line.run(pinged=False)
    assert ended.code == 1011
    with pytest.raises(Exception, match="The line to the workspace agent broke"):
        await opening
