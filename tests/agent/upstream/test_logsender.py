"""Lines reach the server: the first at once, then by the second, and all of them at the end."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from agent.upstream.logqueue import LIMIT
from agent.upstream.logsender import LogSender
from coder_cli.sdk.agentapi import Json, LogLevel
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
async def sender(desk: Desk) -> AsyncIterator[LogSender]:
    sender = LogSender(desk.line, desk.clock)
    task = asyncio.ensure_future(sender.run())
    yield sender
    task.cancel()
    await asyncio.wait({task})


def _texts(message: Json) -> list[str]:
    return [line["output"] for line in message["params"]["logs"]]


async def _take(desk: Desk, *, exceeded: bool = False) -> list[str]:
    message = await desk.hear()
    await desk.answer(message, {"log_limit_exceeded": exceeded})
    return _texts(message)


def _silent(desk: Desk) -> bool:
    assert desk.end is not None
    return desk.end.inbox.empty()


async def test_logs_are_streamed_from_the_first_byte_then_by_the_second(
    desk: Desk, sender: LogSender
) -> None:
    sender.log(ONE, LogLevel.INFO, "first")
    assert await _take(desk) == ["first"]
    for number in range(3):
        sender.log(ONE, LogLevel.INFO, str(number))
    await desk.clock.advance(0.9)
    assert _silent(desk)
    await desk.clock.advance(0.1)
    assert await _take(desk) == ["0", "1", "2"]


async def test_each_source_has_its_own_batches_with_time_and_level(
    desk: Desk, sender: LogSender
) -> None:
    sender.log(ONE, LogLevel.INFO, "a")
    sender.log(TWO, LogLevel.ERROR, "x")
    one = await desk.hear()
    await desk.answer(one, {})
    two = await desk.hear()
    assert one["params"]["log_source_id"] == str(ONE)
    assert two["params"] == {
        "log_source_id": str(TWO),
        "logs": [{"created_at": "2026-01-01T00:00:00Z", "output": "x", "level": "error"}],
    }


async def test_a_full_queue_does_not_wait_for_the_second(desk: Desk, sender: LogSender) -> None:
    sender.log(ONE, LogLevel.INFO, "first")
    await _take(desk)
    for _ in range(10):
        sender.log(ONE, LogLevel.INFO, "x" * (LIMIT // 16))
    assert len(await _take(desk)) == 10


async def test_what_was_lost_is_told_in_the_log_itself(desk: Desk, sender: LogSender) -> None:
    for _ in range(20):
        sender.log(ONE, LogLevel.INFO, "x" * (LIMIT // 16))
    assert len(await _take(desk)) == 15
    await desk.clock.advance(1)
    assert await _take(desk) == [
        "5 lines are missing here: they came faster than they could be sent."
    ]


async def test_lines_survive_a_broken_line(desk: Desk, sender: LogSender) -> None:
    sender.log(ONE, LogLevel.INFO, "a")
    await desk.hear()
    assert desk.end is not None
    desk.end.abort()
    await settle()
    sender.log(ONE, LogLevel.INFO, "b")
    await desk.clock.advance(0.1)
    assert await _take(desk) == ["a"]
    await desk.clock.advance(1)
    assert await _take(desk) == ["b"]


async def test_a_source_at_the_servers_limit_falls_silent(desk: Desk, sender: LogSender) -> None:
    sender.log(ONE, LogLevel.INFO, "a")
    await _take(desk, exceeded=True)
    sender.log(ONE, LogLevel.INFO, "b")
    sender.log(TWO, LogLevel.INFO, "x")
    await desk.clock.advance(1)
    assert await _take(desk) == ["x"]
    await desk.clock.advance(5)
    assert _silent(desk)


async def test_lines_that_the_server_does_not_take_do_not_hold_up_the_next(
    desk: Desk, sender: LogSender
) -> None:
    sender.log(ONE, LogLevel.INFO, "bad")
    await desk.refuse(await desk.hear(), "no")
    sender.log(ONE, LogLevel.INFO, "good")
    await desk.clock.advance(1)
    assert await _take(desk) == ["good"]


async def test_flushing_waits_for_answers_but_for_no_second(desk: Desk, sender: LogSender) -> None:
    sender.log(ONE, LogLevel.INFO, "first")
    await _take(desk)
    sender.log(ONE, LogLevel.INFO, "last")
    flushed = asyncio.ensure_future(sender.flush())
    message = await desk.hear()
    assert (_texts(message), flushed.done()) == (["last"], False)
    await desk.answer(message, {})
    await flushed
