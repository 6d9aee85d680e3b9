"""Whole turns with the scripted model, as a deployment without keys runs them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from server.llm import CallOptions, Json, Text, ToolCall, ToolResult
from server.llm.scripted import Scripted
from server.loop import Done, Engine, Failed, Outcome, Result, Stopped, Toolbox
from tests.server.loop.world import FunctionTool, Stage, asks, tool


def stage(prompt: str, tools: Sequence[FunctionTool] = ()) -> Stage:
    made = Stage(history=asks(prompt))
    engine = Engine(Scripted(made.clock), 100_000, CallOptions())
    made.turn = replace(made.turn, engine=engine, toolbox=Toolbox(tuple(tools)))
    return made


async def over(turn: Stage) -> Outcome:
    """Run the turn, and let time pass for as long as it takes."""
    task = asyncio.ensure_future(turn.run())
    while not task.done():
        await turn.clock.advance(1)
    return await task


async def test_a_command_is_run_and_its_end_is_told() -> None:
    ran: list[Mapping[str, Json]] = []

    async def execute(args: Mapping[str, Json]) -> Result:
        ran.append(args)
        return Result({"success": True, "output": "3 files", "exit_code": 0})

    turn = stage("$ ls | wc -l", [FunctionTool("execute", execute)])
    outcome = await over(turn)
    assert isinstance(outcome, Done)
    assert ran[0]["command"] == "ls | wc -l"
    assert len(turn.ledger.commits) == 2
    assert turn.ledger.rows[0].cost_micros is None
    assert turn.ledger.reads == 1


async def test_instructions_are_carried_out_one_after_another_and_beside_each_other() -> None:
    tools = [tool("read_file", {"content": "x"}), tool("execute", {"output": "y"})]
    turn = stage("read a.txt\n& read b.txt\n$ date\nsay done", tools)
    outcome = await over(turn)
    assert isinstance(outcome, Done)
    assert outcome.text.startswith("done")
    calls = [
        [part.name for part in rows[0].parts if isinstance(part, ToolCall)]
        for rows, _, _ in turn.ledger.commits
    ]
    assert calls == [["read_file", "read_file"], ["execute"], []]


@pytest.mark.parametrize(("times", "kept"), [(2, True), (30, False)])
async def test_failures_pass_or_end_the_turn(times: int, *, kept: bool) -> None:
    turn = stage(f"fail overloaded {times} times\nsay back")
    outcome = await over(turn)
    assert isinstance(outcome, Done if kept else Failed)
    assert len(turn.voice.retries) == min(times, 24)


async def test_a_slow_answer_is_stopped_in_its_middle() -> None:
    turn = stage("words 100 every 1")
    task = asyncio.ensure_future(turn.run())
    while len(turn.voice.events) < 5:
        await turn.clock.advance(1)
    turn.switch.stop("interrupted")
    assert await task == Stopped("interrupted")
    [(rows, interrupted, _)] = turn.ledger.commits
    assert interrupted
    [said] = rows[0].parts
    assert isinstance(said, Text)
    assert 4 <= len(said.text.split()) < 100


async def test_the_next_turn_goes_on_with_what_was_stored() -> None:
    first = stage("call look {}", [tool("look", {"seen": 1})])
    await over(first)
    history = [*first.ledger.messages, *asks("say again")]
    second = stage("", [tool("look")])
    second.ledger.messages = history
    assert await over(second) == Done("again")
    parts = [part for message in history for part in message.parts]
    assert any(isinstance(part, ToolResult) for part in parts)


async def test_a_long_talk_is_folded_and_goes_on() -> None:
    turn = stage("words 3000\ncall look {}\nsay done", [tool("look")])
    turn.turn = replace(turn.turn, threshold_percent=1)
    outcome = await over(turn)
    assert isinstance(outcome, Done)
    names = {result.name for result in turn.ledger.results.values()}
    assert "chat_summarized" in names
