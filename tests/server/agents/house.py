"""A deployment with real sockets: one or more replicas over one database, and scripted agents."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from coder_cli.kit.clock import Clock, SystemClock
from coder_cli.sdk import agentapi as api
from server import agents, identity
from server.agents import AnchorShelf, Options, Switchboard
from server.identity import Linker, Services
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.guard import Guard
from server.kit.pubsub import Mailbox, Pubsub
from server.kit.routing import provide
from server.kit.sealing import Sealer
from server.network import Relay
from server.settings import ExternalAuthProvider
from server.workspaces import WorkspaceChanged
from tests.server.agents.rows import AgentRows, add_agent
from tests.support.people import add_user, lent_app

TOKEN = "Coder-Session-Token"
Serve = Callable[[ClientConnection], Awaitable[None]]


@dataclass
class Replica:
    """One server process of the deployment, as far as agents need it."""

    board: Switchboard
    port: int

    @property
    def relay(self) -> Relay:
        return self.board.relay

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v2"

    def socket(self, path: str, token: str, **options: Any) -> connect:
        """Dial a WebSocket."""
        return connect(
            f"ws://127.0.0.1:{self.port}/api/v2{path}",
            additional_headers={TOKEN: token},
            compression=None,
            proxy=None,
            ping_timeout=None,
            **options,
        )

    def stream(self, agent: AgentRows, port: int, token: str, **options: Any) -> connect:
        """Dial a port of an agent."""
        path = f"/workspaceagents/{agent.id}/stream?port={port}"
        return self.socket(path, token, max_queue=2, **options)

    async def request(self, method: str, path: str, token: str, **more: Any) -> httpx.Response:
        """Ask over HTTP."""
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {TOKEN: token}
            return await client.request(method, self.url + path, headers=headers, **more)


KEY = b"k" * 32
"""What columns are sealed with."""


@dataclass
class House:
    """A deployment: its database, its replicas, and one member with a workspace."""

    database: Database
    clock: Clock = field(default_factory=SystemClock)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list[asyncio.Task[Any]])
    stops: list[Callable[[], Awaitable[None]]] = field(
        default_factory=list[Callable[[], Awaitable[None]]]
    )
    replicas: list[Replica] = field(default_factory=list[Replica])
    apps: ExitStack = field(default_factory=ExitStack)
    alice: UUID = field(default_factory=uuid4)
    token: str = ""
    anchors: Path | None = None
    """Where certificates and keys of clouds are."""
    services: Sequence[ExternalAuthProvider] = ()
    """Whose accounts people link."""
    branches: list[tuple[UUID, str, str, UUID | None]] = field(
        default_factory=list[tuple[UUID, str, str, UUID | None]]
    )
    """What agents reported of git."""

    def linker(self) -> Linker:
        """Return who hands out tokens of linked accounts."""
        services = Services("http://coder.test")
        return Linker(self.database, Sealer([KEY]), services, self.services)

    async def branch_seen(
        self, workspace_id: UUID, branch: str, origin: str, chat_id: UUID | None
    ) -> None:
        """Keep what agents report of git."""
        self.branches.append((workspace_id, branch, origin, chat_id))

    async def replica(self, **options: Any) -> Replica:
        """Start one more server."""
        pubsub = Pubsub(self.database.dsn)
        relay = Relay(self.database, **options)
        board = Switchboard(
            self.database,
            pubsub,
            relay,
            Options(access_url="http://coder.test", wildcard_host="*.coder.test"),
            self.clock,
            branch_seen=self.branch_seen,
        )
        routers = (identity.routes, agents.routes)
        app = self.apps.enter_context(lent_app(self.database, routers=routers))
        provide(app, Switchboard, board)
        provide(app, AnchorShelf, AnchorShelf(self.anchors, self.clock))
        provide(app, Linker, self.linker())
        config = uvicorn.Config(
            Guard(app),
            host="127.0.0.1",
            port=0,
            ws="websockets-sansio",
            ws_max_size=16 * 1024 * 1024,
            ws_per_message_deflate=False,
            ws_ping_interval=15,
            ws_ping_timeout=None,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        listening = asyncio.create_task(pubsub.run())
        relaying = asyncio.create_task(relay.run())
        self.tasks += [listening, relaying]

        async def stop() -> None:
            await server.shutdown()
            await cancel(relaying)

        self.stops.append(stop)
        await pubsub.listening.wait()
        await relay.listening.wait()
        await server.startup()
        port = server.servers[0].sockets[0].getsockname()[1]
        replica = Replica(board, port)
        self.replicas.append(replica)
        return replica

    async def stop(self) -> None:
        """Stop every replica."""
        for stop in self.stops:
            await stop()
        for task in self.tasks:
            await cancel(task)
        self.apps.close()

    async def agent(self, **options: Any) -> AgentRows:
        """Write one more workspace of Alice's, with an agent."""
        return await add_agent(self.database, self.alice, **options)

    async def person(self, name: str, *roles: str) -> tuple[UUID, str]:
        """Add somebody; return their id and token."""
        async with self.database.tx(as_system("test")) as tx:
            user_id, token = await add_user(tx, name, *roles)
            organization = await identity.default_organization(tx)
            await tx.run(
                """
                INSERT INTO organization_members (organization_id, user_id, created_at, updated_at)
                VALUES (%(organization)s, %(user)s, %(now)s, %(now)s)
                """,
                {"organization": organization.id, "user": user_id, "now": tx.now},
            )
        return user_id, token

    async def told(self, box: Mailbox, of: AgentRows) -> int:
        """Return how often a workspace was said to have changed, until now."""
        end = uuid4()
        async with self.database.tx(as_system("test")) as tx:
            await tx.announce(WorkspaceChanged(workspace_id=of.workspace_id, owner_id=end))
        times = 0
        async with asyncio.timeout(10):
            while (await box.get())["owner_id"] != str(end):
                times += 1
        return times

    async def row(self, agent: AgentRows) -> dict[str, Any]:
        """Return the agent's row."""
        async with self.database.tx(as_system("test")) as tx:
            sql = "SELECT * FROM workspace_agents WHERE id = %(id)s"
            return (await tx.rows(sql, {"id": agent.id}))[0]


async def cancel(task: asyncio.Task[Any]) -> None:
    """End a task and wait for it."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def opened(dsn: str, clock: Clock | None = None) -> AsyncGenerator[House]:
    """Yield a deployment without replicas, in which Alice is a member."""
    database = Database(dsn, clock=clock, max_open=6)
    await database.open()
    house = House(database, clock or SystemClock())
    try:
        house.alice, house.token = await house.person("alice")
        yield house
    finally:
        await house.stop()
        await database.close()


async def echo(stream: ClientConnection) -> None:
    """Send back what comes, and close when the other end is done."""
    try:
        while frame := await stream.recv():
            await stream.send(frame)
        await stream.send(b"")
    except ConnectionClosed:
        return


@dataclass
class ScriptedAgent:
    """The agent's end of the line, doing what a test says."""

    line: ClientConnection
    replica: Replica
    rows: AgentRows
    services: dict[int, Serve]
    dials_to: Replica | None = None
    answers_pings: bool = True
    opened: list[api.Open] = field(default_factory=list[api.Open])
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _calls: dict[int, "asyncio.Future[Any]"] = field(
        default_factory=dict[int, "asyncio.Future[Any]"]
    )
    tasks: list[asyncio.Task[Any]] = field(default_factory=list[asyncio.Task[Any]])

    async def call(self, method: api.Method | str, params: object = None, **raw: Any) -> Any:
        """Call the server; return its result, or the ``Failure`` it answered.

        ``raw`` are params that have no shape.
        """
        number = next(self._ids)
        pending = self._calls[number] = asyncio.get_running_loop().create_future()
        body = raw or api.to_json(params or api.Empty())
        await self.line.send(api.encode(api.Request(method, body, number)))
        return await pending

    async def listen(self) -> None:
        """Answer the server until the line ends."""
        try:
            async for text in self.line:
                match api.decode(text):
                    case api.Request() as request:
                        await self._answer(request)
                    case api.Result() as result:
                        self._calls.pop(int(result.id or 0)).set_result(result.result)
                    case api.Failure() as failure:
                        if isinstance(failure.id, int):
                            self._calls.pop(failure.id).set_result(failure)
        except ConnectionClosed:
            return

    async def _answer(self, request: api.Request) -> None:
        if request.method == api.Method.PING and not self.answers_pings:
            return
        await self.line.send(api.encode(api.Result(request.id, {})))
        if request.method == api.Method.OPEN:
            wanted = api.from_json(api.Open, request.params)
            self.opened.append(wanted)
            if wanted.port in self.services:
                self.tasks.append(asyncio.create_task(self.dial(wanted)))

    async def dial(self, wanted: api.Open) -> None:
        """Dial a stream back and serve its port."""
        path = api.STREAM_PATH.format(stream_id=wanted.stream_id).removeprefix("/api/v2")
        replica = self.dials_to or self.replica
        async with replica.socket(path, self.rows.token, max_queue=2) as stream:
            await self.services[wanted.port](stream)
            if wanted.port != 9999:
                await stream.wait_closed()


@asynccontextmanager
async def scripted(
    replica: Replica, rows: AgentRows, *, role: str | None = "agent", **options: Any
) -> AsyncGenerator[ScriptedAgent]:
    """Yield an agent whose line is up."""
    query = "?version=2.0" + (f"&role={role}" if role is not None else "")
    services = options.pop("services", {22: echo})
    async with replica.socket(f"/workspaceagents/me/rpc{query}", rows.token) as line:
        agent = ScriptedAgent(line, replica, rows, services, **options)
        listening = asyncio.create_task(agent.listen())
        try:
            # The first answer comes after the server has noted the connection.
            await agent.call(api.Method.PING)
            yield agent
        finally:
            for task in agent.tasks:
                await cancel(task)
            await cancel(listening)


async def until(check: Callable[[], Awaitable[object]], seconds: float = 10) -> Any:
    """Wait for something to become true; return it."""
    async with asyncio.timeout(seconds):
        while True:
            found = await check()
            if found:
                return found
            await asyncio.sleep(0.02)
