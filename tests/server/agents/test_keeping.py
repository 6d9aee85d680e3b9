"""Streams that stay open between requests: at an agent's real front over streams in memory."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID, uuid4

import pytest

from agent.network.http import Answer, Front, Request, Table
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.agentapi.files import EditFile, EditFiles
from coder_cli.sdk.agentapi.processes import StartProcess
from server.agents import AgentApi, Dialer, Kept
from server.network import Stream, Unreachable
from tests.server.agents.test_agentapi import FakeDialer
from tests.support.clock import FakeClock


@dataclass
class Counting(FakeDialer):
    """Streams that are counted."""

    opened: list[Stream] = field(default_factory=list[Stream])
    closed: int = 0

    @asynccontextmanager
    async def open(self, agent_id: UUID, port: int) -> AsyncGenerator[Stream]:
        async with super().open(agent_id, port) as stream:
            self.opened.append(stream)
            try:
                yield stream
            finally:
                self.closed += 1

    @property
    def standing(self) -> int:
        """Return how many are open."""
        return len(self.opened) - self.closed


@dataclass
class Desk:
    """An agent's API that says what it was asked."""

    table: Table = field(default_factory=Table)
    asked: list[str] = field(default_factory=list[str])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Released with each request."""

    def __post_init__(self) -> None:
        self.gate.set()
        self.table.add("GET", "/api/v0/processes/list", self.list)
        self.table.add("POST", "/api/v0/edit-files", self.edit)
        self.table.add("POST", "/api/v0/processes/start", self.start)

    async def list(self, request: Request) -> Answer:
        self.asked.append("list")
        self.heard.release()
        await self.gate.wait()
        return Answer(200, {"processes": []})

    async def start(self, request: Request) -> Answer:
        await request.read()
        self.asked.append("start")
        return Answer(200, {"id": str(uuid4()), "started": True})

    async def edit(self, request: Request) -> Answer:
        await request.read()
        self.asked.append("edit")
        return Answer(200, {"message": "done"})


@pytest.fixture
def desk() -> Desk:
    """What is asked."""
    return Desk()


@pytest.fixture
def dialer(desk: Desk) -> Counting:
    """The way there."""
    return Counting(Front(desk.table, SystemClock()), set())


def kept_by(dialer: Counting, clock: FakeClock | None = None) -> tuple[Kept, AgentApi]:
    """Return streams that are kept, and an API that uses them."""
    kept = Kept(cast("Dialer", dialer), clock or FakeClock())
    return kept, AgentApi(kept, uuid4())


EDIT = EditFiles((EditFile("/a"),))


async def test_requests_share_a_stream(dialer: Counting) -> None:
    kept, api = kept_by(dialer)
    await kept.dial(uuid4())
    await kept.dial(uuid4())
    for _ in range(5):
        await api.list_processes()
        await api.edit_files(EDIT)
    assert (len(dialer.opened), dialer.standing, kept.dials) == (1, 1, 1)
    await kept.close()
    assert dialer.standing == 0


async def test_an_old_stream_is_not_trusted(dialer: Counting) -> None:
    clock = FakeClock()
    kept, api = kept_by(dialer, clock)
    await api.list_processes()
    await clock.advance(19)
    await api.list_processes()
    assert len(dialer.opened) == 1
    await clock.advance(21)
    await api.edit_files(EDIT)
    assert (len(dialer.opened), dialer.standing) == (2, 1)
    await kept.close()


async def test_requests_side_by_side_have_streams_of_their_own(
    dialer: Counting, desk: Desk
) -> None:
    kept, api = kept_by(dialer)
    desk.gate.clear()
    asking = [asyncio.ensure_future(api.list_processes()) for _ in range(6)]
    for _ in asking:
        await desk.heard.acquire()
    desk.gate.set()
    await asyncio.gather(*asking)
    assert (len(dialer.opened), dialer.standing) == (6, 4), "four wait for more"
    await api.list_processes()
    assert len(dialer.opened) == 6
    await kept.close()
    assert dialer.standing == 0


async def test_what_broke_is_asked_again_where_that_does_no_harm(
    dialer: Counting, desk: Desk
) -> None:
    kept, api = kept_by(dialer)
    await api.list_processes()
    await dialer.opened[0].close()
    await api.list_processes()
    assert (desk.asked, len(dialer.opened)) == (["list", "list"], 2)
    await dialer.opened[1].close()
    with pytest.raises(Unreachable, match="hung up"):
        await api.edit_files(EDIT)
    assert "edit" not in desk.asked
    await api.edit_files(EDIT)
    await kept.close()
    assert dialer.standing == 0


async def test_a_command_is_started_again_only_when_the_agent_can_tell(
    dialer: Counting, desk: Desk
) -> None:
    kept, api = kept_by(dialer)
    await api.list_processes()
    await dialer.opened[0].close()
    with pytest.raises(Unreachable, match="hung up"):
        await api.start_process(StartProcess("deploy"))
    await api.list_processes()
    await dialer.opened[1].close()
    await api.start_process(StartProcess("deploy", client_token="once"))
    assert desk.asked == ["list", "list", "start"]
    await kept.close()


async def test_who_stops_waiting_leaves_no_stream(dialer: Counting, desk: Desk) -> None:
    kept, api = kept_by(dialer)
    desk.gate.clear()
    asking = asyncio.ensure_future(api.list_processes())
    await desk.heard.acquire()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert dialer.standing == 0
    desk.gate.set()
    await kept.close()


async def test_an_answer_after_the_end_is_given_and_the_stream_closed(
    dialer: Counting, desk: Desk
) -> None:
    kept, api = kept_by(dialer)
    desk.gate.clear()
    asking = asyncio.ensure_future(api.list_processes())
    await desk.heard.acquire()
    await kept.close()
    desk.gate.set()
    assert await asking == ()
    assert dialer.standing == 0
