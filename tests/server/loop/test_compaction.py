"""Histories that are folded: when, into which rows, and how often."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest
from typing_extensions import override

from server.llm import (
    CallOptions,
    ErrorKind,
    File,
    Message,
    ModelError,
    Request,
    Role,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
)
from server.loop import Done, Engine, Failed, Stopped
from server.loop.compaction import EMPTY, NOT_SHORTER, fitted, is_due, pending
from server.loop.weight import weigh
from tests.server.loop.world import (
    PRICES,
    ListModel,
    Says,
    Scene,
    Stage,
    asks,
    fails,
    says,
    system,
    tool,
    uses,
)

FULL = Usage(input_tokens=300, cache_read_tokens=400, cache_creation_tokens=50, output_tokens=5)
"""75 % of a context of 1000."""

LONG = "word " * 200
STORY = [*asks(LONG), Message(Role.ASSISTANT, (Text(LONG),)), *asks("go on")]


def full(text: str) -> Says:
    return says(text, usage=FULL)


def result_of(stage: Stage) -> dict[str, Any]:
    [result] = [r for r in stage.ledger.results.values() if r.name == "chat_summarized"]
    return cast("dict[str, Any]", result.result)


async def test_a_step_that_fills_the_context_is_followed_by_a_summary() -> None:
    stage = Stage(
        uses(ToolCall("1", "look"), usage=FULL),
        says("they want a fix"),
        says("done"),
        tools=(tool("look"),),
        history=[system("be good"), *STORY],
    )
    assert await stage.run() == Done("done")

    order = stage.model.asked[1]
    assert order.tool_choice is ToolChoice.NONE
    assert order.tools == stage.model.asked[0].tools
    shared = len(stage.model.asked[0].messages)
    assert order.messages[:shared] == stage.model.asked[0].messages

    summary, shown, told = stage.ledger.commits[1][0]
    assert [row.role for row in (summary, shown, told)] == [Role.USER, Role.ASSISTANT, Role.TOOL]
    assert [row.visibility for row in (summary, shown, told)] == ["model", "user", "both"]
    assert all(row.compressed for row in (summary, shown, told))
    assert shown.cost_micros == 100 * 3 + 10 * 15
    assert shown.usage is not None
    assert shown.runtime_ms
    assert result_of(stage) == {
        "summary": "they want a fix",
        "source": "automatic",
        "threshold_percent": 70,
        "usage_percent": 75.0,
        "context_tokens": 750,
        "context_limit_tokens": 1000,
    }
    [call], [result] = (
        stage.voice.calls,
        [r for r in stage.voice.results if r.name == "chat_summarized"],
    )
    assert call.id == result.id == shown.parts[0].id  # type: ignore[union-attr]
    assert call.id.startswith("chat_summarized_")
    # What the model sees next: the system's words, and the summary.
    assert [message.role for message in stage.model.asked[2].messages] == [Role.SYSTEM, Role.USER]
    assert stage.ledger.reads == 2
    assert len(stage.ledger.admitted) == 3


async def test_summaries_are_not_streamed_as_answers() -> None:
    stage = Stage(full("answer"), says("summary"), says("done"), history=STORY)
    await stage.run()
    words = [event.text for event in stage.voice.events if isinstance(event, TextDelta)]
    assert words == ["answer", "done"]


async def test_edge_case_19_a_summary_of_the_last_step_re_enters_at_most_three_times() -> None:
    scenes: list[Scene] = []
    for number in range(4):
        scenes += [full(f"answer {number} {LONG}"), says(f"summary {number}")]
    stage = Stage(*scenes, history=STORY)
    # Each summary helps, so only the limit ends it: the answer to it is long again.
    outcome = await stage.run()
    assert isinstance(outcome, Done)
    asked_for = [request.tool_choice for request in stage.model.asked]
    assert asked_for.count(ToolChoice.AUTO) <= 4
    assert asked_for.count(ToolChoice.NONE) <= 4


async def test_edge_case_19_re_entries_end_with_a_summary_and_the_turn() -> None:
    half_full = Usage(input_tokens=10)
    scenes: list[Scene] = []
    for number in range(4):
        # A look between keeps every summary useful.
        scenes += [
            uses(ToolCall(f"{number}", "look"), usage=half_full),
            full(f"answer {number} {LONG}"),
            says(f"summary {number}"),
        ]
    stage = Stage(*scenes, tools=(tool("look"),), history=STORY)
    assert isinstance(await stage.run(), Done)
    asked_for = [request.tool_choice for request in stage.model.asked]
    assert asked_for.count(ToolChoice.NONE) == 4
    assert asked_for.count(ToolChoice.AUTO) == 8
    # The last commit says that the turn is over: the others do not.
    assert [last is not None for _, _, last in stage.ledger.commits].count(True) == 1
    assert stage.ledger.commits[-1][2] is not None


@pytest.mark.parametrize(
    ("summary", "reason"), [("  ", EMPTY), (LONG * 4, NOT_SHORTER)], ids=["empty", "longer"]
)
async def test_edge_case_19_a_summary_of_no_use_keeps_the_history(
    summary: str, reason: str
) -> None:
    stage = Stage(
        uses(ToolCall("1", "look"), usage=FULL),
        says(summary),
        says("done"),
        tools=(tool("look"),),
        history=STORY,
    )
    assert await stage.run() == Done("done")
    shown, told = stage.ledger.commits[1][0]
    assert [row.visibility for row in (shown, told)] == ["user", "user"]
    assert not shown.compressed
    assert shown.cost_micros
    assert told.parts[0].is_error  # type: ignore[union-attr]
    assert told.parts[0].result == reason  # type: ignore[union-attr]
    assert stage.ledger.reads == 1
    assert stage.model.asked[2].messages[0] == STORY[0]


async def test_edge_case_19_a_failed_summary_keeps_the_history() -> None:
    stage = Stage(
        uses(ToolCall("1", "look"), usage=FULL),
        fails(ModelError(ErrorKind.OVERLOADED, "Busy.")),
        says("done"),
        tools=(tool("look"),),
        history=STORY,
    )
    assert await stage.run() == Done("done")
    assert stage.voice.results[-1].is_error
    assert stage.voice.retries == []
    rows, _, _ = stage.ledger.commits[1]
    assert [row.visibility for row in rows] == ["user", "user"]
    assert (rows[0].usage, rows[0].cost_micros) == (None, None)
    assert "Busy." in str(stage.voice.results[-1].result)


async def test_a_summary_that_takes_too_long_keeps_the_history() -> None:
    async def hang(request: Request) -> AsyncGenerator[StreamEvent]:
        await asyncio.Event().wait()
        yield TextDelta(0, "never")

    stage = Stage(full("answer"), hang, history=STORY)
    async with asyncio.TaskGroup() as group:
        turn = group.create_task(stage.run())
        await stage.clock.wake_within(90)
    assert turn.result() == Done("answer")
    assert stage.ledger.commits[-1][2] == Done("answer")


async def test_edge_case_19_an_interrupted_summary_is_no_error() -> None:
    async def stop(request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "half a summary")
        stage.switch.stop("interrupted")
        await asyncio.Event().wait()

    stage = Stage(full("answer"), stop, history=STORY)
    assert await stage.run() == Stopped("interrupted")
    assert stage.voice.results == []
    assert len(stage.ledger.commits) == 1


async def test_a_stop_after_the_summary_was_written_stores_it() -> None:
    stage = Stage(
        full("answer"),
        says("summary", before=lambda: stage.switch.stop("interrupted")),
        history=STORY,
    )
    assert await stage.run() == Stopped("interrupted")
    rows, interrupted, last = stage.ledger.commits[1]
    assert (len(rows), interrupted, last) == (3, True, Stopped("interrupted"))


async def test_a_history_that_the_model_refuses_is_folded_once() -> None:
    too_long = ModelError(ErrorKind.CONTEXT_WINDOW, "The prompt is too long.")
    stage = Stage(fails(too_long), says("summary"), says("done"), history=STORY)
    assert await stage.run() == Done("done")
    # The open question is said once more, after the summary.
    *_, again = stage.ledger.commits[0][0]
    assert (again.role, again.visibility, again.compressed) == (Role.USER, "model", False)
    assert again.parts == (Text("go on"),)
    # What is summarised fits, whatever did not.
    assert weigh(stage.model.asked[1].messages) < 1000

    stage = Stage(fails(too_long), says("summary"), fails(too_long), history=STORY)
    assert await stage.run() == Failed(too_long)

    stage = Stage(fails(too_long), says(" "), history=STORY)
    assert await stage.run() == Failed(too_long)
    assert stage.ledger.commits[0][2] == Failed(too_long)


async def test_an_open_question_is_stored_again_without_the_bytes_of_its_files() -> None:
    picture = File("image/png", UUID(int=1), data="aGk=")
    asked = Message(Role.USER, (Text("what is this?"), picture))
    stage = Stage(says("summary"), says("done"), history=[*STORY[:2], asked])
    assert await stage.run() == Done("done")
    assert stage.ledger.commits[0][0][-1].parts == (
        Text("what is this?"),
        File("image/png", UUID(int=1)),
    )


async def test_a_history_far_beyond_the_limit_is_folded_before_the_first_call() -> None:
    stage = Stage(says("summary"), says("done"), history=[*STORY, *asks("x" * 8000)])
    assert await stage.run() == Done("done")
    assert stage.model.asked[0].tool_choice is ToolChoice.NONE


async def test_somebody_may_ask_for_a_summary() -> None:
    done = STORY[:2]
    stage = Stage(says("summary"), history=done, compact=True)
    assert await stage.run() == Done()
    assert result_of(stage)["source"] == "manual"
    assert stage.ledger.commits[0][2] == Done()

    stage = Stage(says("summary"), says("done"), history=STORY, compact=True)
    assert await stage.run() == Done("done")
    assert stage.model.asked[1].messages[-1].parts == (Text("go on"),)


async def test_a_threshold_of_100_is_never() -> None:
    stage = Stage(says("done", usage=Usage(input_tokens=5000)), threshold_percent=100)
    assert await stage.run() == Done("done")


async def test_the_stricter_limit_counts_where_another_model_writes_summaries() -> None:
    other = ListModel([says("summary")], provider="openai")
    stage = Stage(
        says("answer", usage=Usage(input_tokens=400)),
        says("done"),
        history=STORY,
        summarizer=Engine(other, 500, CallOptions(), None),
    )
    assert await stage.run() == Done("done")
    assert len(other.asked) == 1
    assert stage.ledger.commits[1][0][1].cost_micros is None


async def test_a_summary_that_leaves_the_context_full_is_not_repeated_for_ever() -> None:
    scenes: list[Scene] = []
    for number in range(12):
        scenes += [uses(ToolCall(str(number), "look"), usage=FULL, text=LONG)]
    model = Stage(*scenes, tools=(tool("look"),), history=STORY, max_steps=12)

    class Counts(ListModel):
        summaries = 0

        @override
        async def stream(self, request: Request) -> AsyncGenerator[StreamEvent]:
            if request.tool_choice is ToolChoice.NONE:
                Counts.summaries += 1
                async for event in says("summary")(request):
                    yield event
                return
            async for event in super().stream(request):
                yield event

    counting = Counts(list(scenes))
    model.turn = replace(model.turn, engine=Engine(counting, 1000, CallOptions(), PRICES))
    await model.run()
    assert Counts.summaries == 3


def test_when_a_history_is_due() -> None:
    turn = Stage().turn
    assert is_due(turn, 700, 1000)
    assert not is_due(turn, 699, 1000)
    assert not is_due(turn, 10_000, 0)
    assert Usage(input_tokens=1, cache_read_tokens=2, cache_creation_tokens=3).context() == 6
    assert Usage(total_tokens=9).context() == 9


def test_what_fits() -> None:
    long_result = Message(Role.TOOL, (ToolResult("1", "look", "x" * 100_000),))
    messages = (system("s"), *STORY, long_result, *asks("last"))
    small = fitted(messages, 1000)
    assert weigh(small) <= 1000
    assert small[0] == messages[0]
    assert small[-1] == messages[-1]
    assert fitted(messages, 10**6) == messages


def test_only_an_open_question_is_pending() -> None:
    assert pending(tuple(STORY)) == (Text("go on"),)
    assert pending(tuple(STORY[:2])) == ()
