"""Whole turns, with a model, a ledger and tools that are lists."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from uuid import UUID

import pytest

from server.llm import (
    ContextFile,
    ErrorKind,
    Finish,
    Json,
    Message,
    ModelError,
    Request,
    Role,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
)
from server.loop import Done, Failed, Layers, LeaseLost, Limited, Parked, Result, Toolbox
from tests.server.loop.world import (
    FunctionTool,
    Stage,
    fails,
    says,
    tool,
    uses,
)


async def test_an_answer_is_told_while_it_comes_and_stored_once() -> None:
    stage = Stage(says("hello to you"))

    assert await stage.run() == Done("hello to you")

    words = [event.text for event in stage.voice.events if isinstance(event, TextDelta)]
    assert words == ["hello", "to", "you"]
    [(rows, interrupted, last)] = stage.ledger.commits
    assert (len(rows), interrupted, last) == (1, False, Done("hello to you"))
    assert rows[0].usage == Usage(input_tokens=100, output_tokens=10, context_limit=1000)
    assert rows[0].cost_micros == 100 * 3 + 10 * 15
    assert rows[0].runtime_ms


async def test_a_step_is_one_batch_of_the_answer_and_its_results_in_call_order() -> None:
    stage = Stage(
        uses(ToolCall("a", "slow"), ToolCall("b", "fast"), text="look"),
        says("done"),
        tools=(tool("slow", 1), tool("fast", 2)),
    )
    assert await stage.run() == Done("done")

    step, answer = stage.ledger.commits
    assert [row.role for row in step[0]] == [Role.ASSISTANT, Role.TOOL, Role.TOOL]
    assert [row.parts[0] for row in step[0][1:]] == [
        ToolResult("a", "slow", 1, created_at=stage.clock.now()),
        ToolResult("b", "fast", 2, created_at=stage.clock.now()),
    ]
    assert [row.runtime_ms is None for row in step[0]] == [False, True, True]
    assert len(answer[0]) == 1
    assert stage.ledger.reads == 1
    assert [message.role for message in stage.model.asked[1].messages] == [
        Role.USER,
        Role.ASSISTANT,
        Role.TOOL,
    ]


async def test_tools_run_beside_each_other_and_are_heard_in_call_order() -> None:
    second_is_done = asyncio.Event()

    async def first(args: Mapping[str, Json]) -> Result:
        await second_is_done.wait()
        return Result("first")

    async def second(args: Mapping[str, Json]) -> Result:
        second_is_done.set()
        return Result("second")

    stage = Stage(
        uses(ToolCall("1", "first"), ToolCall("2", "second")),
        says("done"),
        tools=(FunctionTool("first", first), FunctionTool("second", second)),
    )
    await stage.run()
    assert [result.result for result in stage.voice.results] == ["first", "second"]


async def test_runtime_ms_covers_the_stream_the_retries_and_the_tools() -> None:
    """Seed 003: the wall time of a step, on its assistant row only."""
    overloaded = ModelError(ErrorKind.OVERLOADED, "Busy.")

    async def nap(args: Mapping[str, Json]) -> Result:
        await stage.clock.sleep(5)
        return Result("rested")

    stage = Stage(
        fails(overloaded),
        uses(ToolCall("1", "nap")),
        says("done"),
        tools=(FunctionTool("nap", nap),),
    )
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(stage.run())
        await stage.clock.wake_within(1)
        await stage.clock.wake_within(5)
    assert turn.result() == Done("done")
    assert [row.runtime_ms for row in stage.ledger.rows] == [6000, None, 1]


async def test_money_is_asked_for_before_each_call_and_told_before_the_tools() -> None:
    stage = Stage(uses(ToolCall("1", "look")), says("done"), tools=(tool("look"),))
    await stage.run()
    assert [bool(most) for most in stage.ledger.admitted] == [True, True]
    assert stage.ledger.paid_for == [450]


async def test_a_turn_without_money_ends_before_the_call() -> None:
    stage = Stage(uses(ToolCall("1", "look")), tools=(tool("look"),))
    stage.ledger.limit_after = 1
    assert await stage.run() == Limited("You have used $5.00 of $5.00.")
    assert len(stage.model.asked) == 1


async def test_an_unpriced_model_costs_nobody_knows_what() -> None:
    stage = Stage(says("hi"))
    stage.turn = replace(stage.turn, engine=replace(stage.turn.engine, prices=None))
    await stage.run()
    assert stage.ledger.rows[0].cost_micros is None
    assert stage.ledger.admitted == [None]


async def test_a_failing_call_is_tried_again_where_listeners_see_it() -> None:
    stage = Stage(
        fails(ModelError(ErrorKind.RATE_LIMIT, "Slow down.", retry_after=7.5)),
        fails(ModelError(ErrorKind.OVERLOADED, "Busy.")),
        says("at last"),
    )
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(stage.run())
        await stage.clock.wake_within(7.5)
        await stage.clock.wake_within(2)
    assert turn.result() == Done("at last")
    assert [(r.attempt, r.delay_ms) for r in stage.voice.retries] == [(1, 7500), (2, 2000)]


async def test_a_truncated_stream_is_tried_again_and_its_partial_answer_is_void() -> None:
    async def cut(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "half a")

    stage = Stage(cut, says("whole"))
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(stage.run())
        await stage.clock.wake_within(1)
    assert turn.result() == Done("whole")
    assert stage.voice.retries[0].error.kind is ErrorKind.TIMEOUT
    assert [row.parts for row in stage.ledger.rows] == [
        (Text("whole", created_at=stage.clock.now()),)
    ]


async def test_what_no_retry_helps_fails_at_once() -> None:
    error = ModelError(ErrorKind.AUTH, "The key was refused.")
    stage = Stage(fails(error))
    assert await stage.run() == Failed(error)
    assert stage.voice.retries == []
    assert stage.ledger.commits == []


async def test_tool_failures_are_results_and_never_fail_the_turn() -> None:
    async def broken(args: Mapping[str, Json]) -> Result:
        raise RuntimeError("password=hunter2")

    stage = Stage(
        uses(
            ToolCall("1", "missing"),
            ToolCall("2", "broken"),
            ToolCall("3", "fine", '{"a": '),
            ToolCall("4", "fine", "[1]"),
            ToolCall("5", "fine", ""),
        ),
        says("well"),
        tools=(FunctionTool("broken", broken), tool("fine")),
    )
    assert await stage.run() == Done("well")
    results = stage.ledger.results
    assert results["1"].result == "Tool not found: missing"
    assert results["2"].result == "tool panicked: RuntimeError"
    assert all(results[number].is_error for number in ("1", "2", "3", "4"))
    assert results["5"].result == "ok"


async def test_edge_case_10_a_panic_inside_a_tool_is_a_result_and_the_turn_goes_on() -> None:
    async def broken(args: Mapping[str, Json]) -> Result:
        raise ZeroDivisionError

    stage = Stage(
        uses(ToolCall("1", "broken")), says("on"), tools=(FunctionTool("broken", broken),)
    )
    assert await stage.run() == Done("on")


async def test_edge_case_10_a_panic_while_storing_reaches_whoever_runs_the_turn() -> None:
    async def panic() -> None:
        raise RuntimeError("the store is broken")

    stage = Stage(says("hi"))
    stage.ledger.committing = panic
    with pytest.raises(RuntimeError, match="the store is broken"):
        await stage.run()


async def test_a_tool_that_cancels_itself_has_a_result_all_the_same() -> None:
    async def gone(args: Mapping[str, Json]) -> Result:
        raise asyncio.CancelledError

    stage = Stage(uses(ToolCall("1", "gone")), says("on"), tools=(FunctionTool("gone", gone),))
    assert await stage.run() == Done("on")
    assert "interrupted" in str(stage.ledger.results["1"].result)


async def test_a_tool_may_end_the_turn_unless_it_failed() -> None:
    stage = Stage(uses(ToolCall("1", "plan")), tools=(tool("plan", ends_turn=True),))
    assert isinstance(await stage.run(), Done)

    failing = tool("plan", "no file", ends_turn=True, is_error=True)
    stage = Stage(uses(ToolCall("1", "plan")), says("again"), tools=(failing,))
    assert await stage.run() == Done("again")


async def test_edge_case_22_calls_of_the_client_park_the_turn_once_the_others_ran() -> None:
    ours, theirs = ToolCall("1", "look"), ToolCall("2", "ask_client")
    stage = Stage(
        uses(ours, theirs),
        toolbox=Toolbox(
            (tool("look"),), (ToolSpec("ask_client", "", {}), ToolSpec("look", "", {}))
        ),
    )

    outcome = await stage.run()

    assert isinstance(outcome, Parked)
    assert [call.id for call in outcome.calls] == ["2"]
    [(rows, _, last)] = stage.ledger.commits
    assert last == outcome
    assert [part.id for row in rows for part in row.parts if isinstance(part, ToolResult)] == ["1"]
    # The built-in tool of the same name is the one that is offered.
    assert [spec.name for spec in stage.model.asked[0].tools] == ["look", "ask_client"]


async def test_edge_case_22_results_of_the_client_go_on_where_the_turn_was_parked() -> None:
    history = [
        Message(Role.USER, (Text("go"),)),
        Message(Role.ASSISTANT, (ToolCall("2", "ask_client"),)),
        Message(Role.TOOL, (ToolResult("2", "ask_client", {"answer": 42}),)),
    ]
    stage = Stage(says("42"), history=history)
    assert await stage.run() == Done("42")
    assert stage.model.asked[0].messages[-1].parts == (
        ToolResult("2", "ask_client", {"answer": 42}),
    )


async def test_exclusive_tools_are_called_alone() -> None:
    box = Toolbox((tool("advisor"), tool("look")), exclusive=frozenset({"advisor"}))
    calls = (ToolCall("1", "advisor"), ToolCall("2", "look"))
    stage = Stage(uses(*calls), says("ok"), toolbox=box)
    await stage.run()
    assert stage.ledger.results["1"].is_error
    assert "alone" in str(stage.ledger.results["1"].result)
    assert stage.ledger.results["2"].result == "ok"


async def test_trap_07_a_call_of_an_answer_that_was_cut_off_is_never_run() -> None:
    ran: list[Mapping[str, Json]] = []

    async def write(args: Mapping[str, Json]) -> Result:
        ran.append(args)
        return Result("written")

    cut = uses(ToolCall("1", "write", "{}"))
    cut.finish = Finish.LENGTH
    stage = Stage(cut, says("smaller"), tools=(FunctionTool("write", write),))
    assert await stage.run() == Done("smaller")
    assert ran == []
    assert stage.ledger.results["1"].is_error

    scenes = [uses(ToolCall(str(n), "write", "{}")) for n in range(3)]
    for scene in scenes:
        scene.finish = Finish.LENGTH
    stage = Stage(*scenes, tools=(FunctionTool("write", write),))
    assert isinstance(await stage.run(), Done)
    assert ran == []


async def test_trap_08_tools_run_by_the_parts_whatever_the_reason_says() -> None:
    said_stop = uses(ToolCall("1", "look"))
    said_stop.finish = Finish.STOP
    stage = Stage(said_stop, says("done"), tools=(tool("look"),))
    assert await stage.run() == Done("done")
    assert stage.ledger.results["1"].result == "ok"


async def test_an_answer_that_the_provider_suspends_goes_back_as_it_is() -> None:
    search = ToolCall("srv_1", "web_search", '{"q": "x"}', provider_executed=True)
    paused = uses(search, text="looking")
    paused.finish = Finish.SUSPENDED
    stage = Stage(paused, says("found"), web_search=True)
    assert await stage.run() == Done("found")
    sent = stage.model.asked[1].messages[-1]
    assert sent.role is Role.ASSISTANT
    assert any(isinstance(part, ToolCall) and part.id == "srv_1" for part in sent.parts)


async def test_an_answer_that_a_filter_stopped_fails_the_turn_with_what_there_is() -> None:
    filtered = says("I can")
    filtered.finish = Finish.CONTENT_FILTER
    stage = Stage(filtered)
    outcome = await stage.run()
    assert isinstance(outcome, Failed)
    assert outcome.error.kind is ErrorKind.CONTENT_FILTER
    assert stage.ledger.commits[0][2] == outcome


async def test_steps_are_limited() -> None:
    scenes = [uses(ToolCall(str(n), "look")) for n in range(3)]
    stage = Stage(*scenes, tools=(tool("look"),), max_steps=3)
    assert isinstance(await stage.run(), Done)
    assert len(stage.model.asked) == 3


async def test_a_lost_lease_ends_the_turn_at_its_next_write() -> None:
    stage = Stage(says("mine"))
    stage.ledger.lost = True
    with pytest.raises(LeaseLost):
        await stage.run()


async def test_nothing_is_asked_where_nothing_is_owed() -> None:
    history = [
        Message(Role.USER, (Text("hi"),)),
        Message(Role.ASSISTANT, (Text("hello"),)),
    ]
    stage = Stage(history=history)
    assert await stage.run() == Done()
    assert stage.model.asked == []


async def test_calls_of_one_answer_that_share_an_id_get_one_each() -> None:
    stage = Stage(
        uses(ToolCall("x", "look"), ToolCall("x", "look"), ToolCall("", "look")),
        says("ok"),
        tools=(tool("look"),),
    )
    await stage.run()
    assert len(stage.ledger.results) == 3


async def test_calls_that_run_commands_are_stored_with_these() -> None:
    box = Toolbox((tool("execute"),), commands={"execute": lambda args: ((str(args["command"]),),)})
    good, bad = ToolCall("1", "execute", '{"command": "ls"}'), ToolCall("2", "execute", "{")
    stage = Stage(uses(good, bad), says("ok"), toolbox=box)
    await stage.run()
    parsed = [
        part.parsed_commands for part in stage.ledger.rows[0].parts if isinstance(part, ToolCall)
    ]
    assert parsed == [(("ls",),), ()]


async def test_a_workspace_that_is_made_in_a_turn_tells_its_rules_in_that_turn() -> None:
    """Source: reference, chats, section 4.4: instructions are loaded in the same turn."""
    rules = ContextFile("/src/AGENTS.md", "Use tabs.", agent_id=UUID(int=5))
    made: list[ContextFile] = []

    async def create(args: Mapping[str, Json]) -> Result:
        made.append(rules)
        return Result("made")

    async def look() -> tuple[ContextFile, ...]:
        return tuple(made)

    stage = Stage(
        uses(ToolCall("1", "look")),
        uses(ToolCall("2", "create")),
        uses(ToolCall("3", "look")),
        says("done"),
        tools=(tool("look"), FunctionTool("create", create)),
        look=look,
    )
    assert await stage.run() == Done("done")
    told = [row for row in stage.ledger.rows if row.role is Role.USER]
    assert [(row.parts, row.visibility) for row in told] == [((rules,), "model")]
    assert [len(rows) for rows, _, _ in stage.ledger.commits] == [2, 3, 2, 1]
    last = stage.model.asked[2].messages[-1].parts[0]
    assert isinstance(last, Text)
    assert "Use tabs." in last.text

    known = Stage(
        uses(ToolCall("1", "look")),
        says("done"),
        tools=(tool("look"),),
        look=look,
        layers=Layers(context=(rules,)),
    )
    await known.run()
    assert all(row.role is not Role.USER for row in known.ledger.rows)


async def test_a_flood_of_calls_is_run_in_part_and_told_so() -> None:
    ran: list[Json] = []

    async def look(args: Mapping[str, Json]) -> Result:
        ran.append(args["n"])
        return Result("seen")

    calls = tuple(ToolCall(f"c{n}", "look", f'{{"n": {n}}}') for n in range(1000))
    stage = Stage(uses(*calls), says("done"), tools=(FunctionTool("look", look),))
    assert await stage.run() == Done("done")
    assert sorted(ran, key=str) == sorted(range(100), key=str)
    assert [result.id for result in stage.voice.results] == [call.id for call in calls]
    late = stage.voice.results[100]
    assert late.is_error
    assert "At most 100 tools" in str(late.result)
