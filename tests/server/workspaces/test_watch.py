"""Streams over real sockets: a workspace as events, and a build's log while it runs."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.workspaces.routes.watch import Event
from tests.server.workspaces.world import SYSTEM, World
from tests.support.serving import served

HEADER = "Coder-Session-Token"


@pytest.fixture
async def address(world: World) -> AsyncGenerator[str]:
    async with served(world.people.app) as address:
        yield address


def socket(address: str, path: str, token: str) -> connect:
    return connect(
        f"ws://{address}{path}", additional_headers={HEADER: token}, proxy=None, compression=None
    )


async def events(lines: AsyncIterator[str]) -> AsyncGenerator[tuple[str, Any]]:
    """Parse server-sent events."""
    kind, data = "", None
    async for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
        elif not line:
            yield kind, data
            kind, data = "", None


async def until(stream: AsyncIterator[tuple[str, Any]], status: str) -> Any:
    """Return the first workspace of a stream whose status is as wanted."""
    async for kind, data in stream:
        if kind == "data" and data["latest_build"]["status"] == status:
            return data
    raise AssertionError(f"the stream ended before {status}")


async def test_events_tell_a_build_from_queue_to_end(world: World, address: str) -> None:
    made = await world.create()
    url = f"http://{address}/workspaces/{made['id']}/watch"
    async with (
        httpx.AsyncClient(trust_env=False, headers={HEADER: world.ann.token}) as client,
        client.stream("GET", url) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = events(answer.aiter_lines())
        assert await anext(stream) == ("ping", None)
        assert await until(stream, "pending") == await world.get(
            world.ann, f"/workspaces/{made['id']}"
        )
        world.terraform.gate.clear()
        working = asyncio.ensure_future(world.work())
        await until(stream, "starting")
        world.terraform.gate.set()
        await until(stream, "running")
        await working


async def test_frames_tell_changes_and_a_client_that_talks_is_cut_off(
    world: World, address: str
) -> None:
    made = await world.running()
    path = f"/workspaces/{made['id']}/watch-ws"
    async with socket(address, path, world.ann.token) as line:
        assert json.loads(await line.recv()) == {"type": "ping"}
        first = json.loads(await line.recv())
        assert (first["type"], first["data"]["name"]) == ("data", "dev")
        await world.ann.api.put(f"/workspaces/{made['id']}/ttl", json={"ttl_ms": 60_000})
        second = json.loads(await line.recv())
        assert second["data"]["ttl_ms"] == 60_000
        await line.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            await line.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1002


async def test_whoever_loses_the_right_to_look_is_told_and_cut_off(
    world: World, address: str
) -> None:
    made = await world.running()
    async with socket(address, f"/workspaces/{made['id']}/watch-ws", world.ann.token) as line:
        await line.recv()
        await line.recv()
        answer = await world.owner.api.put("/users/ann/status/suspend")
        assert answer.status_code == 200
        error = json.loads(await line.recv())
        assert error["type"] == "error"
        assert "suspended" in error["data"]["message"]
        with pytest.raises(ConnectionClosed):
            await line.recv()


async def test_hidden_workspaces_cannot_be_watched(world: World, address: str) -> None:
    made = await world.create()
    bob = await world.people.add("bob")
    for path in (
        f"/workspaces/{made['id']}/watch-ws",
        f"/workspacebuilds/{made['latest_build']['id']}/logs?follow=true",
    ):
        with pytest.raises(InvalidStatus) as refused:
            await socket(address, path, bob.token)
        assert refused.value.response.status_code == 404


async def test_a_followed_log_ends_when_its_build_does(world: World, address: str) -> None:
    made = await world.create()
    path = f"/workspacebuilds/{made['latest_build']['id']}/logs?follow=true"
    async with socket(address, path, world.ann.token) as line:
        working = asyncio.ensure_future(world.work())
        said = [json.loads(frame)["output"] async for frame in line]
        await working
    assert "Apply complete!" in said


async def test_silence_is_filled_with_pings(world: World) -> None:
    from server.workspaces.routes.watch import Watched

    made = await world.running()
    actor = await world.people.actor(world.ann)
    request = fake_connection(world)
    watched = Watched(request, made["id"], actor.user_id)
    stream = watched.events(heartbeat=0.01)
    kinds = [(await anext(stream)).type for _ in range(4)]
    assert kinds == ["ping", "data", "ping", "ping"]
    await world.value("DELETE FROM workspaces WHERE id = %(id)s RETURNING 1", id=made["id"])
    assert (await anext(stream)).type == "error"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert SYSTEM.is_system


def fake_connection(world: World) -> Any:
    """Return a connection of Ann's that no socket belongs to."""
    from starlette.requests import HTTPConnection

    headers = [(HEADER.lower().encode(), world.ann.token.encode())]
    scope = {
        "type": "http",
        "app": world.people.app,
        "headers": headers,
        "query_string": b"",
        "client": ("127.0.0.1", 1),
    }
    return HTTPConnection(scope)


def test_the_wire_form_of_events() -> None:
    assert Event(type="ping").sse() == "event: ping\n\n"
    assert Event(type="data", data={"a": "b\nc"}).sse() == 'event: data\ndata: {"a": "b\\nc"}\n\n'
