"""Logs over a WebSocket: every line once, in order, and a normal close at the end of the job."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI, WebSocket
from starlette.requests import HTTPConnection

from server import provisioning
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.errors import NotFound
from server.kit.pubsub import Pubsub
from server.kit.routing import Authenticator, Me, install, provide
from server.provisioning import Console, Job, Lines
from server.provisioning.routes import follow as follow_route
from tests.server.provisioning.conftest import SYSTEM, House


class Client:
    """A WebSocket client without a socket."""

    def __init__(self, app: FastAPI, path: str, query: str = "") -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.first = asyncio.Event()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [],
            "subprotocols": [],
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "state": {},
        }

    async def run(self) -> None:
        """Stay until the server closes."""
        await self._app(self._scope, self._inbox.get, self._send)

    def leave(self) -> None:
        """Go away without a word."""
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def _send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.frames.append(json.loads(message["text"]))
            self.first.set()
        elif message["type"] == "websocket.close":
            self.closed = message["code"]


async def _authenticate(connection: HTTPConnection) -> Actor:
    return SYSTEM


def make_app(database: Database, pubsub: Pubsub, hidden: asyncio.Event | None = None) -> FastAPI:
    hidden = hidden or asyncio.Event()
    app = FastAPI()
    install(app)
    provide(app, Database, database)
    provide(app, Pubsub, pubsub)
    provide(app, Authenticator, _authenticate)

    @app.websocket("/logs/{job}")
    async def _(websocket: WebSocket, me: Me, job: UUID, lines: Lines) -> None:
        async def still(tx: Tx) -> None:
            if hidden.is_set():
                raise NotFound

        await provisioning.follow(websocket, me, job, lines, still)

    return app


@pytest.fixture
async def pubsub(house: House):
    """Facts that are heard."""
    pubsub = Pubsub(house.queue.db.dsn)
    listening = asyncio.ensure_future(pubsub.run())
    await pubsub.listening.wait()
    yield pubsub
    listening.cancel()


async def test_followers_get_every_line_once_whenever_they_come(
    house: House, pubsub: Pubsub
) -> None:
    late = asyncio.Event()
    go_on = asyncio.Event()

    async def talk(job: Job, console: Console) -> object:
        for number in range(1500):
            console.log("info", "Planning infrastructure", f"line {number}")
            if number % 100 == 0:
                await house.clock.advance(0.25)
            if number == 700:
                late.set()
                await go_on.wait()
        return "made"

    house.kind.work_with = talk
    job = await house.queue.post()
    app = make_app(house.queue.db, pubsub)
    early, after = Client(app, f"/logs/{job.id}"), Client(app, f"/logs/{job.id}", "after=0&follow")
    async with asyncio.TaskGroup() as group:
        group.create_task(early.run())
        group.create_task(house.daemons().turn("host-0"))
        await late.wait()
        group.create_task(after.run())
        go_on.set()
    async with house.queue.db.tx(SYSTEM) as tx:
        stored = [line.id for line in await provisioning.logs(tx, job.id)]
    assert len(stored) == 1501
    for client in (early, after):
        assert [frame["id"] for frame in client.frames] == stored
        assert client.closed == 1000
    assert early.frames[0].keys() == {
        "id",
        "created_at",
        "log_source",
        "log_level",
        "stage",
        "output",
    }


async def test_following_a_job_that_has_ended_sends_the_rest_and_closes(
    house: House, pubsub: Pubsub
) -> None:
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    async with house.queue.db.tx(SYSTEM) as tx:
        first, *rest = await provisioning.logs(tx, job.id)
    client = Client(make_app(house.queue.db, pubsub), f"/logs/{job.id}", f"after={first.id}")
    await client.run()
    assert [frame["id"] for frame in client.frames] == [line.id for line in rest]
    assert client.closed == 1000


async def test_a_reader_that_leaves_is_let_go(house: House, pubsub: Pubsub) -> None:
    job = await house.queue.post()
    client = Client(make_app(house.queue.db, pubsub), f"/logs/{job.id}")
    client.leave()
    await client.run()
    assert (client.frames, client.closed) == ([], None)


async def test_a_log_ends_for_whom_may_no_longer_read_it(
    house: House, pubsub: Pubsub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_route, "LOOK_SECONDS", 0.01)
    hidden, go_on = asyncio.Event(), asyncio.Event()

    async def talk(job: Job, console: Console) -> object:
        console.log("info", "Planning infrastructure", "before")
        await house.clock.wake_within(0.25)
        await go_on.wait()
        console.log("info", "Planning infrastructure", "a secret")
        return "made"

    house.kind.work_with = talk
    job = await house.queue.post()
    client = Client(make_app(house.queue.db, pubsub, hidden), f"/logs/{job.id}")
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(house.daemons().turn("host-0"))
        reading = group.create_task(client.run())
        await client.first.wait()
        hidden.set()
        await reading
        go_on.set()
        await turn
    assert [frame["output"] for frame in client.frames] == ["before"]
    assert client.closed == follow_route.HIDDEN
