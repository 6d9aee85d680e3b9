"""How builds go, of all workspaces that somebody may see, as one stream."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.server.workspaces.test_watch import HEADER
from tests.server.workspaces.world import World
from tests.support.people import Person
from tests.support.serving import served

PATIENCE = 10


@pytest.fixture
async def url(world: World) -> AsyncGenerator[str]:
    async with served(world.people.app) as address:
        host = address.removesuffix("/api/v2")
        yield f"ws://{host}/api/experimental/watch-all-workspacebuilds"


def watch(url: str, who: Person) -> connect:
    return connect(url, additional_headers={HEADER: who.token}, proxy=None, compression=None)


async def heard(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE):
        return json.loads(await socket.recv())


async def test_every_step_of_every_build_is_told_once(world: World, url: str) -> None:
    async with watch(url, world.owner) as socket:
        made = await world.create()
        first = await heard(socket)
        await world.work()
        told = [first, await heard(socket)]
        while told[-1]["job_status"] != "succeeded":
            told.append(await heard(socket))
    steps = [one["job_status"] for one in told]
    assert steps == sorted(set(steps), key=steps.index)
    assert steps[0] == "pending"
    assert told[-1] == {
        "workspace_id": made["id"],
        "workspace_name": "dev",
        "build_id": made["latest_build"]["id"],
        "build_number": 1,
        "transition": "start",
        "job_status": "succeeded",
    }


async def test_hidden_workspaces_are_not_told_of(world: World, url: str) -> None:
    bob = await world.people.add("bob")
    async with watch(url, bob) as socket:
        await world.create(world.ann, "hers")
        await world.create(bob, "his")
        assert (await heard(socket))["workspace_name"] == "his"


async def test_nobody_watches_without_a_session_and_who_talks_is_cut_off(
    world: World, url: str
) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(url, proxy=None):
            pass
    async with watch(url, world.ann) as socket:
        await socket.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            await heard(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1002
