"""Values on their way: in batches, one call at a time, within limits, over lost lines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agent.kit.child import Child
from agent.metadata.collector import MOST_KEY_BYTES, Metadata
from coder_cli.sdk.agentapi import MetadataSource
from tests.agent.metadata.conftest import heard
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle

Start = Callable[[str, int], Child]


@pytest.fixture
async def metadata(desk: Desk, start: Start) -> AsyncIterator[Metadata]:
    metadata = Metadata(desk.line, desk.clock, start)
    task = asyncio.ensure_future(metadata.run())
    yield metadata
    task.cancel()
    await asyncio.wait({task})


def collected(message: Any) -> str:
    (value,) = message["params"]["metadata"]
    return value["result"]["collected_at"]


async def test_values_are_told_in_batches(desk: Desk, metadata: Metadata) -> None:
    metadata.know([MetadataSource("a", "echo 1"), MetadataSource("b", "echo 2; exit 4")])
    told: dict[str, tuple[str, str]] = {}
    while len(told) < 2:
        message = await heard(desk)
        assert message["method"] == "metadata"
        for item in message["params"]["metadata"]:
            told[item["key"]] = item["result"]["value"], item["result"]["error"]
        await desk.answer(message, {})
    assert told == {"a": ("1", ""), "b": ("2", "run cmd: exit status 4")}


async def test_one_call_is_in_flight_and_the_newest_value_follows(
    desk: Desk, metadata: Metadata
) -> None:
    metadata.know([MetadataSource("tick", "date +%N", interval=1)])
    first = await heard(desk)
    begun = collected(first)
    assert desk.end is not None
    for _ in range(5):  # Values are collected meanwhile, and nothing is said.
        await desk.clock.advance(1)
        await asyncio.sleep(0.02)
    assert desk.end.inbox.empty()
    await desk.answer(first, {})
    assert collected(await heard(desk)) > begun


async def test_what_a_broken_line_lost_is_told_again(desk: Desk, metadata: Metadata) -> None:
    metadata.know([MetadataSource("once", "echo kept")])
    await heard(desk)
    assert desk.end is not None
    desk.end.abort()
    await desk.clock.advance(0.5)
    assert desk.line.up.is_set()
    again = await heard(desk)
    assert again["params"]["metadata"][0]["result"]["value"] == "kept"


async def test_a_server_that_refuses_values_is_asked_again_with_the_next_ones(
    desk: Desk, metadata: Metadata
) -> None:
    metadata.know([MetadataSource("tick", "echo 1", interval=1)])
    await desk.refuse(await heard(desk), "no")
    assert (await heard(desk))["method"] == "metadata"
    assert desk.dials == 1


async def test_a_report_holds_no_more_key_bytes_than_the_server_takes(
    desk: Desk, metadata: Metadata
) -> None:
    keys = {f"{number:03}-{'k' * 2000}" for number in range(8)}
    metadata.know([MetadataSource(key, "true") for key in keys])
    told: set[str] = set()
    while told != keys:
        message = await heard(desk)
        batch = [item["key"] for item in message["params"]["metadata"]]
        assert sum(len(key.encode()) for key in batch) <= MOST_KEY_BYTES
        told.update(batch)
        await desk.answer(message, {})


async def test_an_end_kills_what_runs(desk: Desk, start: Start) -> None:
    children: list[Child] = []

    def kept(script: str, output: int) -> Child:
        children.append(start(script, output))
        return children[-1]

    metadata = Metadata(desk.line, desk.clock, kept)
    metadata.know([MetadataSource("slow", "sleep 600", timeout=900)])
    task = asyncio.ensure_future(metadata.run())
    await settle()
    task.cancel()
    await asyncio.wait({task})
    async with asyncio.timeout(10):
        assert await children[0].wait() == -9
