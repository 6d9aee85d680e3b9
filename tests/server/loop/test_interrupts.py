"""A turn that is stopped keeps what had come, at whatever wait it was stopped."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

import pytest

from server.llm import (
    ErrorKind,
    Json,
    Message,
    ModelError,
    PartDone,
    Request,
    Role,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from server.loop import Done, Interrupt, LeaseLost, Result, Stopped, Switch, run
from server.loop.answers import INTERRUPTED
from tests.server.loop.world import (
    FunctionTool,
    Stage,
    fails,
    says,
    tool,
    uses,
)
from tests.support.clock import settle

CALL = ToolCall("1", "look", "{}")


async def half(stage: Stage) -> AsyncGenerator[StreamEvent]:
    yield TextDelta(0, "half an ")
    yield TextDelta(0, "answer")
    stage.switch.stop("interrupted")


def kept(stage: Stage) -> list[str]:
    return [part.text for row in stage.ledger.rows for part in row.parts if isinstance(part, Text)]


async def test_edge_case_01_a_stream_that_raises_the_cancellation_keeps_its_words() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        async for event in half(stage):
            yield event
        await asyncio.Event().wait()

    stage = Stage(scene)
    assert await stage.run() == Stopped("interrupted")
    assert kept(stage) == ["half an answer"]
    [(_, interrupted, last)] = stage.ledger.commits
    assert (interrupted, last) == (True, Stopped("interrupted"))


async def test_an_answer_that_is_cut_off_costs_what_it_is_estimated_at() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "word " * 4_000)
        stage.switch.stop("interrupted")
        await asyncio.Event().wait()

    stage = Stage(scene)
    assert await stage.run() == Stopped("interrupted")
    [(rows, _, _)] = stage.ledger.commits
    assert rows[0].usage is None, "nobody told the tokens"
    prices = stage.turn.engine.prices
    assert prices is not None
    assert prices.output is not None
    assert rows[0].cost_micros is not None
    assert rows[0].cost_micros >= 5_000 * prices.output
    assert rows[0].prices is not None
    assert rows[0].prices.source.endswith("tokens estimated")


async def test_edge_case_01_a_stream_that_raises_the_interrupt_itself_keeps_its_words() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        async for event in half(stage):
            yield event
        raise Interrupt("interrupted")

    stage = Stage(scene)
    assert await stage.run() == Stopped("interrupted")
    assert kept(stage) == ["half an answer"]


async def test_edge_case_01_a_stream_that_just_ends_keeps_its_words() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        async for event in half(stage):
            yield event
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    stage = Stage(scene)
    assert await stage.run() == Stopped("interrupted")
    assert kept(stage) == ["half an answer"]


@pytest.mark.parametrize(
    "error",
    [ModelError(ErrorKind.TIMEOUT, "The connection broke."), RuntimeError("closed")],
    ids=["an error of the model's", "an error of a library's"],
)
async def test_edge_case_01_a_stream_that_fails_because_it_is_stopped_keeps_its_words(
    error: Exception,
) -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        async for event in half(stage):
            yield event
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise error from None

    stage = Stage(scene)
    assert await stage.run() == Stopped("interrupted")
    assert kept(stage) == ["half an answer"]
    assert stage.voice.retries == []


async def test_a_stop_before_the_first_word_stores_nothing() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        stage.switch.stop("interrupted")
        await asyncio.Event().wait()
        yield TextDelta(0, "never")

    stage = Stage(scene)
    assert await stage.run() == Stopped("interrupted")
    assert stage.ledger.commits == []


async def test_a_stop_before_the_turn_begins_calls_nobody() -> None:
    stage = Stage(says("never"))
    stage.switch.stop("interrupted")
    assert await stage.run() == Stopped("interrupted")
    assert stage.model.asked == []


async def test_a_call_of_a_stopped_answer_has_a_result_that_says_so() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        yield PartDone(0, CALL)
        yield ToolCallDelta(1, "2", "write", '{"path": "a')
        stage.switch.stop("interrupted")
        await asyncio.Event().wait()

    stage = Stage(scene, tools=(tool("look"),))
    assert await stage.run() == Stopped("interrupted")
    assert {key: (r.result, r.is_error) for key, r in stage.ledger.results.items()} == {
        "1": (INTERRUPTED, True),
        "2": (INTERRUPTED, True),
    }
    assert all(result.created_at for result in stage.ledger.results.values())


async def test_a_stop_among_tools_keeps_the_results_that_are_there() -> None:
    async def hang(args: Mapping[str, Json]) -> Result:
        stage.switch.stop("interrupted")
        await asyncio.Event().wait()
        return Result("never")

    stage = Stage(
        uses(CALL, ToolCall("2", "hang")), tools=(tool("look"), FunctionTool("hang", hang))
    )
    assert await stage.run() == Stopped("interrupted")
    assert stage.ledger.results["1"].result == "ok"
    assert stage.ledger.results["2"].result == INTERRUPTED
    [(rows, interrupted, _)] = stage.ledger.commits
    assert interrupted
    assert rows[0].usage is not None
    assert rows[0].cost_micros


async def test_a_stop_while_waiting_for_a_retry_ends_the_wait() -> None:
    stage = Stage(fails(ModelError(ErrorKind.OVERLOADED, "Busy.")), says("never"))
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(stage.run())
        await settle()
        assert stage.voice.retries
        stage.switch.stop("interrupted")
    assert turn.result() == Stopped("interrupted")


async def test_a_stop_after_the_last_word_and_before_it_is_stored_keeps_it_whole() -> None:
    stage = Stage(says("all of it", before=lambda: stage.switch.stop("interrupted")))
    assert await stage.run() == Stopped("interrupted")
    [(rows, interrupted, last)] = stage.ledger.commits
    assert kept(stage) == ["all of it"]
    assert (interrupted, last) == (True, Stopped("interrupted"))
    assert rows[0].cost_micros


async def test_a_stop_after_an_answer_with_calls_runs_none_of_them() -> None:
    stage = Stage(
        uses(CALL, before=lambda: stage.switch.stop("interrupted")), tools=(tool("look"),)
    )
    assert await stage.run() == Stopped("interrupted")
    assert stage.ledger.results["1"].result == INTERRUPTED


async def test_a_stop_while_a_step_is_stored_lets_it_be_stored() -> None:
    async def stop() -> None:
        stage.switch.stop("interrupted")
        await asyncio.sleep(0)

    stage = Stage(uses(CALL), says("never"), tools=(tool("look"),))
    stage.ledger.committing = stop
    assert await stage.run() == Stopped("interrupted")
    assert len(stage.ledger.commits) == 1
    assert len(stage.model.asked) == 1


async def test_a_stop_while_the_last_step_is_stored_changes_no_end() -> None:
    async def stop() -> None:
        stage.switch.stop("interrupted")

    stage = Stage(says("done"))
    stage.ledger.committing = stop
    assert await stage.run() == Done("done")


async def test_edge_case_02_what_was_cut_meanwhile_takes_no_partial_answer() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        async for event in half(stage):
            yield event
        await asyncio.Event().wait()

    stage = Stage(scene)
    stage.ledger.lost = True
    with pytest.raises(LeaseLost):
        await stage.run()
    assert stage.ledger.commits == []


async def test_a_dropped_task_stores_what_it_was_storing_and_nothing_else() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        entered.set()
        await leave.wait()

    stage = Stage(uses(CALL), says("never"), tools=(tool("look"),))
    stage.ledger.committing = slowly
    everything = (stage.turn, stage.ledger, stage.voice, stage.clock, stage.switch)
    turn = asyncio.ensure_future(run(*everything))
    await entered.wait()
    turn.cancel()
    await settle()
    turn.cancel()
    await settle()
    assert not turn.done()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert len(stage.ledger.commits) == 1


async def test_a_dropped_task_in_mid_stream_stores_nothing() -> None:
    streaming = asyncio.Event()

    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "half")
        streaming.set()
        await asyncio.Event().wait()

    stage = Stage(scene)
    turn = asyncio.ensure_future(stage.run())
    await streaming.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert stage.ledger.commits == []


async def test_the_socket_of_a_stopped_stream_is_freed_before_the_turn_ends() -> None:
    freed: list[bool] = []

    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        try:
            async for event in half(stage):
                yield event
            await asyncio.Event().wait()
        finally:
            freed.append(True)

    stage = Stage(scene)
    await stage.run()
    assert freed == [True]


async def test_after_an_interrupt_the_history_is_valid_for_the_next_turn() -> None:
    async def scene(request: Request) -> AsyncGenerator[StreamEvent]:
        yield ToolCallDelta(0, "1", "look", '{"half')
        stage.switch.stop("interrupted")
        await asyncio.Event().wait()

    stage = Stage(scene)
    await stage.run()
    again = Stage(
        says("yes"), history=[*stage.ledger.messages, Message(Role.USER, (Text("go on"),))]
    )
    assert await again.run() == Done("yes")
    call = again.model.asked[0].messages[1].parts[0]
    assert isinstance(call, ToolCall)
    assert call.args == "{}"


# The switch ------------------------------------------------------------------------------------


async def test_a_switch_leaves_nothing_behind_that_would_cancel_later_waits() -> None:
    switch = Switch()

    async def work() -> None:
        async with switch.armed():
            switch.stop("now")
            raise asyncio.CancelledError

    with pytest.raises(Interrupt):
        await work()
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_stop_that_comes_too_late_is_taken_back() -> None:
    switch = Switch()
    async with switch.armed():
        switch.stop("late")
    await asyncio.sleep(0)
    assert switch.cause == "late"
    switch.stop("second")
    assert switch.cause == "late"


async def test_a_cancellation_of_the_task_counts_more_than_a_stop() -> None:
    switch = Switch()

    async def work() -> None:
        async with switch.armed():
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await settle()
    switch.stop("interrupted")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
