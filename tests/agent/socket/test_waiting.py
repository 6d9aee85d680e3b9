"""Starts that wait: held by the agent, woken by what others say, ended by time or by good-byes."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from tests.agent.socket.conftest import Client, Door

START, WANT, COMPLETE = "/api/v0/sync/start", "/api/v0/sync/want", "/api/v0/sync/complete"


async def want(door: Door, unit: str, *on: str) -> tuple[int, Any]:
    return await door.ask("POST", WANT, {"unit": unit, "depends_on": list(on)})


async def complete(door: Door, unit: str) -> tuple[int, Any]:
    return await door.ask("POST", COMPLETE, {"unit": unit})


async def waiting(door: Door, unit: str, seconds: float = 300) -> Client:
    """Ask for a start that cannot be yet, and return who waits for the answer."""
    client = await door.client()
    client.send("POST", START, {"unit": unit, "wait": seconds})
    await until_held(door, unit)
    return client


def bells_of(door: Door) -> Mapping[str, set[asyncio.Event]]:
    return door.socket._board._bells  # pyright: ignore[reportPrivateUsage] - nothing shows them


async def until_held(door: Door, unit: str, count: int = 1) -> None:
    bells = bells_of(door)
    async with asyncio.timeout(20):
        while len(bells.get(unit, ())) < count:  # noqa: ASYNC110 - nobody rings
            await asyncio.sleep(0)


async def test_start_blocks_until_the_dependency_has_completed(door: Door) -> None:
    """Seed: start blocks until all dependencies have been met."""
    assert await want(door, "claude", "git") == (200, {})
    claude = await waiting(door, "claude")
    assert await door.ask("POST", START, {"unit": "git"}) == (200, {"waited_for": []})
    assert await door.units() == {"claude": "pending", "git": "started"}
    assert await complete(door, "git") == (200, {})
    assert await claude.answer() == (200, {"waited_for": ["git"]})
    assert await door.units() == {"claude": "started", "git": "completed"}


async def test_a_start_that_may_not_wait_says_what_is_missing(door: Door) -> None:
    await want(door, "a", "b", "c")
    status, answer = await door.ask("POST", START, {"unit": "a"})
    assert (status, answer["message"]) == (409, 'cannot start unit "a": unit not ready')
    assert [one["depends_on"] for one in answer["missing"]] == ["b", "c"]


async def test_a_start_ends_with_the_names_of_what_is_missing(door: Door) -> None:
    await want(door, "a", "b", "c", "d e")
    await door.ask("POST", START, {"unit": "b"})
    await door.ask("POST", START, {"unit": "c"})
    await complete(door, "c")
    client = await waiting(door, "a", 5)
    await door.clock.wake_within(5)
    status, answer = await client.answer()
    assert (status, answer["message"]) == (
        409,
        "timeout waiting for dependencies of unit 'a': b (started), d e (not registered)",
    )
    assert await door.units() == {"a": "pending", "b": "started", "c": "completed"}


async def test_what_is_wanted_while_a_unit_waits_is_waited_for_as_well(door: Door) -> None:
    await want(door, "a", "b")
    client = await waiting(door, "a")
    await want(door, "a", "c")
    await want(door, "b", "z")
    await complete(door, "b")
    assert (await door.units())["a"] == "pending"
    await door.ask("POST", START, {"unit": "c"})
    await complete(door, "c")
    assert await client.answer() == (200, {"waited_for": ["b", "c"]})


async def test_of_two_who_start_the_same_unit_one_does(door: Door) -> None:
    await want(door, "a", "b")
    clients = [await door.client() for _ in range(2)]
    for client in clients:
        client.send("POST", START, {"unit": "a", "wait": 60})
    await until_held(door, "a", 2)
    await door.ask("POST", START, {"unit": "b"})
    await complete(door, "b")
    answers = [await client.answer() for client in clients]
    assert sorted(status for status, _ in answers) == [200, 409]
    [refused] = [answer for status, answer in answers if status == 409]
    assert refused["message"] == 'cannot start unit "a": same status already set'


async def test_a_unit_that_is_completed_while_it_waits_does_not_start(door: Door) -> None:
    await want(door, "a", "b")
    client = await waiting(door, "a")
    await complete(door, "a")
    status, answer = await client.answer()
    assert (status, "it has completed" in answer["message"]) == (409, True)


async def test_nobody_starts_a_unit_and_is_gone(door: Door) -> None:
    """A script that was killed while it waited must not keep its unit from the next one."""
    await want(door, "a", "b")
    client = await waiting(door, "a")
    client.hang_up()
    async with asyncio.timeout(20):
        while bells_of(door):  # noqa: ASYNC110 - nobody rings
            await asyncio.sleep(0)
    await door.ask("POST", START, {"unit": "b"})
    await complete(door, "b")
    assert await door.units() == {"a": "pending", "b": "completed"}
    assert await door.ask("POST", START, {"unit": "a"}) == (200, {"waited_for": []})


async def test_a_client_may_ask_on_while_its_start_is_held(door: Door) -> None:
    await want(door, "a", "b")
    client = await waiting(door, "a")
    client.writer.write(b"GET /api/v0/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await door.ask("POST", START, {"unit": "b"})
    await complete(door, "b")
    rest = await client.rest()
    assert rest.count(b"HTTP/1.1 200") == 2
    assert rest.index(b"waited_for") < rest.index(b"{}")


async def test_an_agent_that_ends_says_so_to_whoever_waits(door: Door) -> None:
    await want(door, "a", "b")
    client = await waiting(door, "a")
    await door.socket.close()
    status, answer = await client.answer()
    assert (status, answer["message"]) == (503, "the agent is shutting down; it forgets all units")
    assert await client.rest() == b""
    assert door.socket.path == ""


async def test_200_scripts_start_in_a_valid_order_each_exactly_once(door: Door) -> None:
    luck = random.Random(4)
    order = [f"script {number}" for number in range(200)]
    wants = {name: luck.sample(order[:at], k=min(at, 5)) for at, name in enumerate(order)}
    started: list[str] = []
    ended: set[str] = set()

    async def script(name: str, client: Client) -> None:
        if wants[name]:
            body = {"unit": name, "depends_on": wants[name]}
            assert await client.ask("POST", WANT, body) == (200, {})
        status, _ = await client.ask("POST", START, {"unit": name, "wait": 300})
        assert status == 200
        assert ended.issuperset(wants[name])
        started.append(name)
        for _ in range(luck.randrange(5)):
            await asyncio.sleep(0)
        ended.add(name)
        assert await client.ask("POST", COMPLETE, {"unit": name}) == (200, {})
        client.hang_up()

    scripts = [(name, await door.client()) for name in luck.sample(order, k=200)]
    async with asyncio.timeout(60):
        await asyncio.gather(*(script(*each) for each in scripts))
    assert sorted(started) == sorted(order)
    assert set((await door.units()).values()) == {"completed"}
