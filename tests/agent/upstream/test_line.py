"""The line: calls both ways, signs of life, and up again after every loss."""

import asyncio
import logging

import pytest

from agent.network import Refused, Unreachable
from agent.upstream.line import ANSWER_WITHIN, CallFailed, LineDown
from coder_cli.sdk.agentapi import PING_EVERY, PONG_WITHIN, Empty, LogsStored, Method, Startup
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle


async def test_a_call_gets_the_answer_that_carries_its_number(desk: Desk) -> None:
    first = asyncio.ensure_future(desk.line.call(Method.LOGS, Empty(), LogsStored))
    second = asyncio.ensure_future(desk.line.call(Method.STARTUP, Startup("v1"), Empty))
    one, two = await desk.hear(), await desk.hear()
    assert two["params"]["version"] == "v1"
    await desk.answer(two, {})
    await desk.answer(one, {"log_limit_exceeded": True})
    assert await first == LogsStored(log_limit_exceeded=True)
    assert await second == Empty()


async def test_a_server_that_says_no(desk: Desk) -> None:
    call = asyncio.ensure_future(desk.line.call(Method.BANNERS, Empty(), Empty))
    await desk.refuse(await desk.hear(), "not today")
    with pytest.raises(CallFailed, match="not today"):
        await call
    assert desk.line.up.is_set()


async def test_an_answer_of_the_wrong_shape_is_a_failed_call(desk: Desk) -> None:
    call = asyncio.ensure_future(desk.line.call(Method.LOGS, Empty(), LogsStored))
    await desk.answer(await desk.hear(), {"log_limit_exceeded": "maybe"})
    with pytest.raises(CallFailed, match=r"logs: LogsStored\.log_limit_exceeded"):
        await call


async def test_a_call_on_a_line_that_breaks_may_have_been_heard(desk: Desk) -> None:
    call = asyncio.ensure_future(desk.line.call(Method.STATS, Empty(), Empty))
    await desk.hear()
    assert desk.end is not None
    desk.end.abort()
    with pytest.raises(LineDown) as down:
        await call
    assert down.value.sent
    with pytest.raises(LineDown) as down:
        await desk.line.call(Method.STATS, Empty(), Empty)
    assert not down.value.sent


async def test_a_call_without_an_answer_is_given_up(desk: Desk) -> None:
    call = asyncio.ensure_future(desk.line.call(Method.STATS, Empty(), Empty))
    await desk.hear()
    await desk.clock.advance(ANSWER_WITHIN)
    with pytest.raises(LineDown, match="no answer to stats"):
        await call


async def test_the_servers_calls_are_answered(desk: Desk) -> None:
    await desk.say('{"jsonrpc":"2.0","id":"a","method":"ping","params":{}}')
    assert await desk.hear() == {"jsonrpc": "2.0", "id": "a", "result": {}}
    await desk.say('{"jsonrpc":"2.0","id":2,"method":"dance"}')
    assert (await desk.hear())["error"]["code"] == -32601
    await desk.say("nonsense")
    assert (await desk.hear())["error"]["code"] == -32700
    await desk.say('{"jsonrpc":"2.0","method":"ping"}')  # A notification gets no answer.
    await desk.say('{"jsonrpc":"2.0","id":99,"result":{}}')  # Nor does an answer to nothing.
    await desk.say('{"jsonrpc":"2.0","id":3,"method":"ping"}')
    assert (await desk.hear())["id"] == 3


async def test_a_bug_in_an_answer_does_not_end_the_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def buggy(params: object) -> object:
        raise KeyError("bug")

    desk.handlers["ping"] = buggy
    await desk.say('{"jsonrpc":"2.0","id":1,"method":"ping"}')
    assert (await desk.hear())["error"] == {"code": -32603, "message": "the agent failed to answer"}
    assert desk.dials == 1


async def test_a_bug_in_the_greeting_is_tried_again_on_the_next_line(desk: Desk) -> None:
    desk.greeting_troubles = [KeyError("bug"), CallFailed("no")]
    assert desk.end is not None
    desk.end.abort()
    await desk.clock.advance(0.1)
    assert desk.dials == 2
    await desk.clock.advance(0.2 + 0.4)
    assert desk.dials == 4
    assert desk.line.up.is_set()


async def test_the_line_comes_up_again_after_each_loss_and_greets_anew(desk: Desk) -> None:
    for loss in range(1, 4):
        assert (desk.dials, desk.greetings) == (loss, loss)
        assert desk.end is not None
        desk.end.abort()
        await settle()
        assert not desk.line.up.is_set()
        await desk.clock.advance(0.1)
        assert desk.line.up.is_set()


async def test_a_server_that_is_away_is_asked_ever_more_seldom_and_for_ever(desk: Desk) -> None:
    desk.troubles = [Unreachable("gone")] * 100
    assert desk.end is not None
    desk.end.abort()
    await settle()
    for seconds in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10):
        dials = desk.dials
        await desk.clock.advance(seconds - 0.01)
        assert desk.dials == dials
        await desk.clock.advance(0.01)
        assert desk.dials == dials + 1
    await desk.clock.advance(2000)
    assert desk.line.up.is_set()


async def test_a_refusal_is_logged_in_the_servers_words_and_asked_again_slowly(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    words = "Agent trying to connect from non-latest build."
    desk.troubles = [Refused(403, words)] * 3
    assert desk.end is not None
    desk.end.abort()
    await desk.clock.advance(0.1)
    assert desk.dials == 2
    await desk.clock.advance(29)
    assert desk.dials == 2
    await desk.clock.advance(62)
    assert desk.line.up.is_set()
    said = [record.message for record in caplog.records if words in record.message]
    assert said == [f"the server refused the agent (403): {words}"]  # Once, not each time.


async def test_a_half_open_line_is_given_up_within_15_seconds(desk: Desk) -> None:
    assert desk.end is not None
    await desk.clock.advance(PING_EVERY)
    desk.end.answers_pings = False
    await desk.clock.advance(PING_EVERY + PONG_WITHIN)
    assert PING_EVERY + PONG_WITHIN <= 15
    await desk.clock.advance(0.1)
    assert desk.dials == 2


async def test_a_line_with_pongs_stays(desk: Desk) -> None:
    await desk.clock.advance(3600)
    assert desk.dials == 1


async def test_at_the_end_the_back_off_is_cut_short(desk: Desk) -> None:
    desk.troubles = [Refused(403, "no"), Unreachable("gone")]
    assert desk.end is not None
    desk.end.abort()
    await desk.clock.advance(0.1)
    desk.line.hurry()
    await desk.clock.advance(0)
    await desk.clock.advance(1.1)
    assert desk.line.up.is_set()
