"""A chat at work: rows in a real database, and an agent's real rooms at the end of a fake line."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from agent.files import FileRoutes
from agent.kit.child import Children
from agent.network.http import Front, Table
from agent.processes import Environment, ProcessRoutes, Registry
from coder_cli.kit.clock import SystemClock
from server import identity
from server.agents import Dialer
from server.kit.authz import Actor
from server.kit.errors import Invalid, NotFound
from server.loop import Call, Result, Toolbox
from server.network import Stream, Unreachable
from server.templates import FormDesk
from server.tools import (
    Binding,
    ChatFacts,
    Child,
    ChildOrder,
    Means,
    Patience,
    StoredFile,
    WorkspaceLink,
    toolbox,
)
from tests.agent.frames import End
from tests.server.agents.test_agentapi import Channel
from tests.server.workspaces.world import SYSTEM, World, with_agent

CALM = Patience(attempt=20.0, pause=0.02, dial=60.0, agent=60.0, build=60.0, scripts=60.0)
QUICK = Patience(attempt=0.2, pause=0.02, dial=0.3, agent=0.3, build=60.0, scripts=0.3)
"""For whom nobody comes."""
CONNECTED = """
    UPDATE workspace_agents
       SET first_connected_at = %(now)s, last_connected_at = %(now)s, lifecycle_state = %(state)s,
           expanded_directory = %(directory)s
     WHERE id = %(id)s
"""


@dataclass
class Line:
    """Where streams to agents lead; a test may break it."""

    front: Front
    error: Exception | None = None
    hangs: bool = False
    hold: asyncio.Event | None = None
    """Who dials waits for it."""
    dialled: list[UUID] = field(default_factory=list[UUID])
    called: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set["asyncio.Task[None]"])
    streams: list[Stream] = field(default_factory=list[Stream])

    @asynccontextmanager
    async def open(self, agent_id: UUID, port: int) -> AsyncGenerator[Stream]:
        """Open one, as a ``Dialer`` does."""
        assert port == 4
        self.dialled.append(agent_id)
        self.called.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.hold is not None:
            await self.hold.wait()
            raise UNREACHABLE
        if self.error is not None:
            raise self.error
        ours, theirs = End.pair()
        self.tasks.add(asyncio.ensure_future(self.front.serve(theirs)))
        stream = Stream(Channel(ours))
        self.streams.append(stream)
        try:
            yield stream
        finally:
            await stream.close()


@dataclass
class ListPort:
    """A chat that keeps what it is told in lists."""

    bound: list[Binding] = field(default_factory=list[Binding])
    ttl: int | None = None
    allowed: frozenset[UUID] | None = None
    files: list[tuple[str, str, bytes]] = field(default_factory=list[tuple[str, str, bytes]])
    orders: list[ChildOrder] = field(default_factory=list[ChildOrder])
    said: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    kin: dict[UUID, Child] = field(default_factory=dict[UUID, Child])

    async def bind(self, binding: Binding) -> None:
        self.bound.append(binding)

    async def workspace_ttl_ms(self) -> int | None:
        return self.ttl

    async def allowed_templates(self) -> frozenset[UUID] | None:
        return self.allowed

    async def keep_file(self, name: str, media_type: str, content: bytes) -> StoredFile:
        self.files.append((name, media_type, content))
        return StoredFile(uuid4(), name, media_type, len(content))

    async def spawn(self, order: ChildOrder) -> Child:
        self.orders.append(order)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        child = Child(uuid4(), order.title or "Child", "running", order.type, at, at)
        self.kin[child.chat_id] = child
        return child

    async def child(self, chat_id: UUID) -> Child:
        if chat_id not in self.kin:
            raise Invalid("target chat is not a descendant of current chat")
        return self.kin[chat_id]

    async def wait_child(self, chat_id: UUID, seconds: float) -> Child:
        return await self.child(chat_id)

    async def message_child(self, chat_id: UUID, message: str, *, interrupt: bool) -> Child:
        self.said.append((message, interrupt))
        return await self.child(chat_id)

    async def interrupt_child(self, chat_id: UUID) -> Child:
        self.kin[chat_id] = replace(await self.child(chat_id), status="waiting")
        return self.kin[chat_id]

    async def children(self, limit: int, offset: int) -> tuple[list[Child], int]:
        kin = list(self.kin.values())
        return kin[offset : offset + limit], len(kin)


@dataclass
class Turn:
    """A turn of a chat, with its tools."""

    link: WorkspaceLink
    port: ListPort
    box: Toolbox

    async def call(self, name: str, /, **args: Any) -> Result:
        """Use a tool, as the loop does."""
        tools = {tool.spec.name: tool for tool in (*self.box.tools, *self.box.also)}
        return await tools[name](Call("call-1", args))

    async def done(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Use a tool that succeeds; return its answer."""
        result = await self.call(name, **args)
        assert not result.is_error, result.value
        assert isinstance(result.value, dict)
        return cast("dict[str, Any]", result.value)

    async def refused(self, name: str, /, **args: Any) -> Any:
        """Use a tool that fails; return what it says."""
        result = await self.call(name, **args)
        assert result.is_error, result.value
        return result.value


@dataclass
class Scene:
    """A deployment with Ann, whose chats these are, and the home of her agents' user."""

    world: World
    line: Line
    home: Path
    actor: Actor
    means: Means
    turns: list[Turn] = field(default_factory=list[Turn])

    async def turn(
        self, *, port: ListPort | None = None, patience: Patience = CALM, **facts: Any
    ) -> Turn:
        """Begin a turn of a chat."""
        port, means = port or ListPort(), replace(self.means, patience=patience)
        told = ChatFacts(
            id=facts.pop("id", None) or uuid4(),
            organization_id=facts.pop("organization_id", self.world.organization),
            owner=self.actor,
            owner_name="ann",
            title="A chat",
            **facts,
        )
        link = WorkspaceLink(means, told, port)
        turn = Turn(link, port, toolbox(means, told, port, link))
        self.turns.append(turn)
        return turn

    async def workspace(self, name: str = "dev", *, connected: bool = True, **agent: Any) -> UUID:
        """Have a workspace made that runs, with an agent; return its id."""
        self.world.terraform.script(builds=[with_agent(**agent)])
        made = await self.world.running(name=name)
        assert made["latest_build"]["status"] == "running"
        if connected:
            await self.connect(UUID(made["id"]))
        return UUID(made["id"])

    async def working(self, **facts: Any) -> Turn:
        """Begin a turn of a chat whose workspace runs."""
        return await self.turn(workspace_id=await self.workspace(), **facts)

    async def agent_of(self, workspace_id: UUID) -> UUID:
        """Return the agent of the latest build."""
        return await self.world.value(
            """
            SELECT a.id FROM workspace_agents a
              JOIN workspace_resources r ON r.id = a.resource_id
              JOIN workspace_builds b ON b.job_id = r.job_id
             WHERE b.workspace_id = %(id)s ORDER BY b.build_number DESC LIMIT 1
            """,
            id=workspace_id,
        )

    async def connect(self, workspace_id: UUID, state: str = "ready") -> None:
        """Let its agent be connected for a while."""
        agent = await self.agent_of(workspace_id)
        async with self.world.database.tx(SYSTEM) as tx:
            args = {"id": agent, "state": state, "directory": str(self.home), "now": tx.now}
            await tx.run(CONNECTED, args)

    async def change_agent(self, workspace_id: UUID, **columns: Any) -> None:
        """Change columns of its agent."""
        agent = await self.agent_of(workspace_id)
        async with self.world.database.tx(SYSTEM) as tx:
            for column, value in columns.items():
                sql = f"UPDATE workspace_agents SET {column} = %(value)s WHERE id = %(id)s"
                await tx.run(sql, {"value": value, "id": agent})  # pyright: ignore[reportArgumentType]

    async def external(self, workspace_id: UUID) -> None:
        """Let its agent be one that somebody starts by hand."""
        agent = await self.agent_of(workspace_id)
        async with self.world.database.tx(SYSTEM) as tx:
            await tx.run(
                """
                UPDATE workspace_resources SET type = 'coder_external_agent'
                 WHERE id = (SELECT resource_id FROM workspace_agents WHERE id = %(id)s)
                """,
                {"id": agent},
            )

    @asynccontextmanager
    async def building(self) -> AsyncGenerator[None]:
        """Have a worker that takes what is queued, and agents that come up by themselves."""

        async def work() -> None:
            while True:
                if await self.world.work():
                    for row in await self._workspaces():
                        await self.connect(row)
                await asyncio.sleep(0.02)

        task = asyncio.ensure_future(work())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _workspaces(self) -> list[UUID]:
        async with self.world.database.tx(SYSTEM) as tx:
            return await tx.values(
                """
                SELECT DISTINCT b.workspace_id FROM workspace_agents a
                  JOIN workspace_resources r ON r.id = a.resource_id
                  JOIN workspace_builds b ON b.job_id = r.job_id
                """
            )


@asynccontextmanager
async def opened(world: World, home: Path) -> AsyncGenerator[Scene]:
    """Yield a scene whose agent runs as the user of ``home``."""
    children = Children(SystemClock())
    base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "EDITOR": "vi"}
    environment = Environment(base, "token", "/opt/coder", home / "bin")
    registry = Registry(environment, children, SystemClock())
    table = Table()
    for room in (ProcessRoutes(registry), FileRoutes(environment.home)):
        room.mount(table)
    running = asyncio.ensure_future(registry.run())
    line = Line(Front(table, SystemClock()))
    async with world.database.tx(SYSTEM) as tx:
        actor = await identity.actor_of(tx, world.ann.id)
    means = Means(
        world.database,
        world.pubsub,
        cast("Dialer", line),
        FormDesk(world.database, None, "http://coder.test"),
        patience=CALM,
    )
    scene = Scene(world, line, home, actor, means)
    try:
        yield scene
    finally:
        for turn in scene.turns:
            await turn.link.close()
        registry.close()
        await running
        await children.end_all()
        for task in line.tasks:
            task.cancel()
        await asyncio.gather(*line.tasks, return_exceptions=True)


UNREACHABLE = Unreachable("The workspace agent is not connected.")
GONE = NotFound("There is no such agent.")
