"""The server's client of an agent's API, at an agent's real front over streams in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import pytest

from agent.files import FileRoutes
from agent.kit.child import Children
from agent.network.frames import Ended
from agent.network.http import Answer, Front, Request, Table
from agent.processes import Environment, ProcessRoutes, Registry
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.agentapi.files import EditFile, EditFiles, FileEdit, ListDirectory, Relativity
from coder_cli.sdk.agentapi.http import ChatContext
from coder_cli.sdk.agentapi.processes import ProcessSignal, StartProcess
from server.agents import AgentApi, AgentRefused, BadAnswer, Dialer
from server.network import Closed, Stream
from tests.agent.frames import End


@dataclass
class Channel:
    """The server's end of a stream."""

    end: End

    async def receive(self) -> bytes:
        """Return what the agent sends."""
        try:
            frame = await self.end.recv()
        except Ended as ended:
            raise Closed(1000, str(ended)) from ended
        assert isinstance(frame, bytes)
        return frame

    async def send(self, frame: bytes) -> None:
        """Send to the agent."""
        try:
            await self.end.send(frame)
        except Ended as ended:
            raise Closed(1000, str(ended)) from ended

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End it."""
        await self.end.close(code, reason)


@dataclass
class FakeDialer:
    """Streams that lead to ``front``."""

    front: Front
    tasks: set["asyncio.Task[None]"]

    @asynccontextmanager
    async def open(self, agent_id: UUID, port: int) -> AsyncGenerator[Stream]:
        """Open one."""
        assert port == 4
        ours, theirs = End.pair()
        task = asyncio.ensure_future(self.front.serve(theirs))
        self.tasks.add(task)
        stream = Stream(Channel(ours))
        try:
            yield stream
        finally:
            await stream.close()


def api_of(table: Table, chat: ChatContext | None = None) -> AgentApi:
    dialer = FakeDialer(Front(table, SystemClock()), set())
    return AgentApi(cast("Dialer", dialer), uuid4(), chat)


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """What an agent answers, its home being the test's directory."""
    children = Children(SystemClock())
    base = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    environment = Environment(base, "token", "/opt/coder", tmp_path / "bin")
    registry = Registry(environment, children, SystemClock())
    table = Table()
    for room in (ProcessRoutes(registry), FileRoutes(environment.home)):
        room.mount(table)
    running = asyncio.ensure_future(registry.run())
    await asyncio.sleep(0)
    yield table
    registry.close()
    await running
    await children.end_all()


async def test_processes(table: Table) -> None:
    api, other = (api_of(table, ChatContext(uuid4(), (uuid4(),))) for _ in range(2))
    process = await api.start_process(StartProcess("echo hello; exit 4", client_token="a"))
    assert await api.start_process(StartProcess("echo hello; exit 4", client_token="a")) == process
    output = await api.process_output(process, within=60)
    assert (output.output, output.running, output.exit_code) == ("hello\n", False, 4)
    (listed,) = await api.list_processes()
    assert (listed.id, listed.exit_code, listed.running) == (process, 4, False)
    assert await other.list_processes() == ()
    with pytest.raises(AgentRefused, match=f'Process "{process}" not found.') as refused:
        await other.process_output(process)
    assert refused.value.code == 404


async def test_a_wait_that_is_over_is_a_snapshot(table: Table) -> None:
    api = api_of(table, ChatContext(uuid4()))
    process = await api.start_process(StartProcess("echo first; exec sleep 1000"))
    while not (output := await api.process_output(process, within=0.05)).output:
        pass
    assert (output.output, output.running, output.exit_code) == ("first\n", True, None)
    await api.signal_process(process, ProcessSignal.TERMINATE)
    assert (await api.process_output(process, within=60)).exit_code == -1
    await api.start_process(StartProcess("sleep 1000"))
    assert await api.end_processes() == "1 running processes were ended."
    assert await api.list_processes() == ()


async def test_files(table: Table, tmp_path: Path) -> None:
    api = api_of(table)
    path = f"{tmp_path}/a b/é?&.txt"
    content = b"one\ntwo\n" * 50_000
    assert await api.write_file(path, content) == f'Successfully wrote to "{path}"'
    assert await api.read_file(path) == content
    assert await api.read_file(path, 4, 3) == b"two"
    lines = await api.read_lines(path, 2, 1)
    assert (lines.content, lines.lines_read, lines.total_lines) == ("2\ttwo", 1, 100_000)
    directory = await api.list_directory(ListDirectory(("a b",), Relativity.HOME))
    assert [entry.name for entry in directory.contents] == ["é?&.txt"]
    assert await api.resolve_path(f"{tmp_path}/a b/../x") == f"{tmp_path}/x"
    edits = (FileEdit("one", "1", replace_all=True),)
    await api.edit_files(EditFiles((EditFile(path, edits),)))
    assert (tmp_path / "a b" / "é?&.txt").read_bytes() == b"1\ntwo\n" * 50_000


async def test_refusals_are_told_as_the_agent_told_them(table: Table) -> None:
    api = api_of(table)
    with pytest.raises(AgentRefused, match="no such file or directory") as refused:
        await api.read_file("/no/such")
    assert refused.value.code == 404
    with pytest.raises(AgentRefused, match="must specify at least one file"):
        await api.edit_files(EditFiles())


async def test_an_answer_that_does_not_fit_is_none() -> None:
    async def nonsense(_: Request) -> Answer:
        return Answer(200, {"processes": 5})

    table = Table()
    table.add("GET", "/api/v0/processes/list", nonsense)
    with pytest.raises(BadAnswer) as bad:
        await api_of(table).list_processes()
    assert "processes must be a list" in bad.value.detail
