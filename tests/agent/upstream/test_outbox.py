"""Reports arrive in order and do not get lost with the line."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.upstream.outbox import Outbox
from coder_cli.sdk.agentapi import Method, Open
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle


@pytest.fixture
async def outbox(desk: Desk) -> AsyncIterator[Outbox]:
    outbox = Outbox(desk.line, Method.LIFECYCLE, limit=3)
    task = asyncio.ensure_future(outbox.run())
    yield outbox
    task.cancel()
    await asyncio.wait({task})


async def _break(desk: Desk) -> None:
    assert desk.end is not None
    desk.end.abort()
    await desk.clock.advance(0.1)
    assert desk.line.up.is_set()


async def test_one_after_the_other(desk: Desk, outbox: Outbox) -> None:
    for port in (1, 2):
        outbox.post(Open("x", port))
    flushed = asyncio.ensure_future(outbox.flushed())
    for port in (1, 2):
        message = await desk.hear()
        assert message["params"]["port"] == port
        assert not flushed.done()
        await desk.answer(message, {})
    await flushed


async def test_a_report_without_an_answer_is_sent_again_on_the_next_line(
    desk: Desk, outbox: Outbox
) -> None:
    outbox.post(Open("x", 1))
    await desk.hear()
    await _break(desk)
    assert (await desk.hear())["params"]["port"] == 1


async def test_when_nothing_may_be_said_twice_a_report_that_left_is_not_sent_again(
    desk: Desk, outbox: Outbox
) -> None:
    outbox.say_once()
    outbox.post(Open("x", 1))
    await desk.hear()
    outbox.post(Open("x", 2))
    await _break(desk)
    assert (await desk.hear())["params"]["port"] == 2


async def test_a_report_that_the_server_does_not_take_does_not_hold_up_the_next(
    desk: Desk, outbox: Outbox
) -> None:
    outbox.post(Open("x", 1))
    outbox.post(Open("x", 2))
    await desk.refuse(await desk.hear(), "no such thing")
    assert (await desk.hear())["params"]["port"] == 2


async def test_the_newest_are_dropped_and_counted_when_there_are_too_many(
    desk: Desk, outbox: Outbox
) -> None:
    for port in range(5):
        outbox.post(Open("x", port))
    await settle()
    assert outbox.dropped == 2
