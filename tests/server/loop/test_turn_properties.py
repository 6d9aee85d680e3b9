"""Whatever a model does and whenever it is stopped: what is stored is whole, and says its end."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from server.llm import (
    ErrorKind,
    Finish,
    Json,
    ModelError,
    Part,
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
from server.loop import LeaseLost, Parked, Result, Stopped, Toolbox
from server.loop.repairing import faults
from tests.server.loop.world import FunctionTool, Says, Scene, Stage, asks, fails, says


@dataclass
class Cut:
    """A stream that ends in its middle."""

    async def __call__(self, request: Request) -> AsyncGenerator[StreamEvent]:
        yield TextDelta(0, "half")


calls = st.builds(
    ToolCall,
    st.sampled_from(["1", "2", "a.b", ""]),
    st.sampled_from(["look", "nap", "bomb", "plan", "theirs", "nobody"]),
    st.sampled_from(["{}", "{", ""]),
)
answers = st.builds(
    Says,
    st.lists(st.one_of(calls, st.sampled_from([Text("a"), Text(" ")])), max_size=3).map(tuple),
    st.sampled_from([Finish.STOP, Finish.TOOL_CALLS, Finish.LENGTH, Finish.SUSPENDED]),
    st.sampled_from([Usage(), Usage(input_tokens=50), Usage(input_tokens=900)]),
)
failures = st.sampled_from(
    [
        fails(ModelError(kind, "No."))
        for kind in (ErrorKind.OVERLOADED, ErrorKind.AUTH, ErrorKind.CONTEXT_WINDOW)
    ]
)
scenes = st.lists(st.one_of(answers, answers, failures, st.builds(Cut)), max_size=8)


async def play(stage: Stage, stop_after: int | None) -> object:
    """Run the turn while time passes; stop it once so many things have happened."""
    turn = asyncio.ensure_future(stage.run())
    for moment in range(2000):
        if turn.done():
            break
        if moment == stop_after:
            stage.switch.stop("interrupted")
        if moment % 10 == 9:
            await stage.clock.advance(60)
        await asyncio.sleep(0)
    try:
        return await turn
    except LeaseLost:
        return LeaseLost


def stage_of(plan: list[Scene]) -> Stage:
    async def nap(args: Mapping[str, Json]) -> Result:
        await stage.clock.sleep(3)
        return Result("rested")

    async def bomb(args: Mapping[str, Json]) -> Result:
        raise RuntimeError

    async def look(args: Mapping[str, Json]) -> Result:
        return Result({"seen": True})

    async def end(args: Mapping[str, Json]) -> Result:
        return Result("planned", ends_turn=True)

    works = {"nap": nap, "bomb": bomb, "look": look, "plan": end}
    tools = tuple(FunctionTool(name, work) for name, work in works.items())
    box = Toolbox(tools, dynamic=(ToolSpec("theirs", "", {}),))
    stage = Stage(*plan, *(says("enough") for _ in range(40)), toolbox=box, max_steps=20)
    stage.ledger.messages = asks("go " * 300)
    return stage


@settings(max_examples=120, deadline=None)
@given(scenes, st.one_of(st.none(), st.integers(0, 60)))
def test_every_turn_ends_and_what_it_stored_is_whole(
    plan: list[Scene], stop_after: int | None
) -> None:
    stage = stage_of(plan)
    outcome = asyncio.run(play(stage, stop_after))

    for request in stage.model.asked:
        assert faults(request.messages) == ()
    for place, (rows, interrupted, last) in enumerate(stage.ledger.commits):
        assert rows
        if last is not None:
            assert place == len(stage.ledger.commits) - 1
            assert last == outcome
        assert interrupted == isinstance(last, Stopped)
        check_step(
            [part for row in rows if row.visibility == "both" for part in row.parts], outcome
        )
    if isinstance(outcome, Stopped):
        assert stop_after is not None
    assert stage.ledger.messages[0].role is Role.USER


def check_step(parts: list[Part], outcome: object) -> None:
    asked = [part.id for part in parts if isinstance(part, ToolCall)]
    answered = [part.id for part in parts if isinstance(part, ToolResult)]
    parked = [call.id for call in outcome.calls] if isinstance(outcome, Parked) else []
    assert len(set(asked)) == len(asked)
    for call in asked:
        assert answered.count(call) == 1 or (call in parked and call not in answered)
