"""The scripted model works on, step by step, from nothing but the history."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from server.llm import (
    ErrorKind,
    Finish,
    Finished,
    Json,
    Message,
    ModelError,
    PartDone,
    Reasoning,
    ReasoningDelta,
    Request,
    Role,
    Scripted,
    StreamEvent,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    ToolSpec,
)
from tests.support.clock import FakeClock

TOOLS = tuple(
    ToolSpec(name, f"Does {name}.", {"type": "object"})
    for name in (
        "execute",
        "read_file",
        "write_file",
        "list_templates",
        "create_workspace",
        "start_workspace",
        "spawn_agent",
        "wait_agent",
    )
)
TEMPLATE = str(uuid4())

Answer = Callable[[ToolCall], ToolResult]


def user(text: str, id_: int = 1) -> Message:
    return Message(Role.USER, (Text(text),), id=id_)


async def ask(request: Request) -> list[StreamEvent]:
    return [event async for event in Scripted(FakeClock()).stream(request)]


def finished(events: list[StreamEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished)
    return last


async def play(
    messages: list[Message], answer: Answer, tools: tuple[ToolSpec, ...] = TOOLS
) -> list[Finished]:
    """Run the loop's part: answer each call, with a new model for each step."""
    steps: list[Finished] = []
    for _ in range(20):
        step = finished(await ask(Request(tuple(messages), tools)))
        steps.append(step)
        messages.append(Message(Role.ASSISTANT, step.parts, provider="scripted"))
        calls = [part for part in step.parts if isinstance(part, ToolCall)]
        if not calls:
            return steps
        messages.append(Message(Role.TOOL, tuple(answer(call) for call in calls)))
    raise AssertionError("the script does not end")


def ok(call: ToolCall) -> ToolResult:
    results: dict[str, Json] = {
        "execute": {"success": True, "output": "out\n", "exit_code": 0},
        "list_templates": {
            "templates": [{"id": str(uuid4()), "name": "a"}, {"id": TEMPLATE, "name": "docker"}],
            "recommended_template_id": TEMPLATE,
        },
        "create_workspace": {"created": True, "workspace_name": "dev"},
        "spawn_agent": {"chat_id": f"chat-{call.id}", "title": "t", "status": "pending"},
        "wait_agent": {"chat_id": "c", "status": "waiting", "report": "42 lines"},
    }
    return ToolResult(call.id, call.name, results.get(call.name, {"ok": True}))


def names(steps: list[Finished]) -> list[list[str]]:
    return [[part.name for part in step.parts if isinstance(part, ToolCall)] for step in steps]


def said(step: Finished) -> str:
    return "".join(part.text for part in step.parts if isinstance(part, Text))


async def test_instructions_run_one_after_the_other_and_the_end_tells_what_came() -> None:
    steps = await play([user("write /a.sh echo hi\n$ sh /a.sh\nsay done")], ok)
    assert names(steps) == [["write_file"], ["execute"], []]
    assert "exit code 0" in said(steps[-1])
    assert "out" in said(steps[-1])
    assert said(steps[-1]).startswith("done")


async def test_lines_with_an_ampersand_run_in_one_step() -> None:
    steps = await play([user("$ one\n& $ two\n$ three")], ok)
    assert names(steps) == [["execute", "execute"], ["execute"], []]


async def test_what_is_said_comes_once_before_the_tool_that_follows() -> None:
    steps = await play([user("think hm\nsay first\n$ a\nsay last")], ok)
    assert [type(part) for part in steps[0].parts] == [Reasoning, Text, ToolCall]
    assert said(steps[0]) == "first\n"
    assert said(steps[1]).startswith("last\n")


async def test_what_is_said_is_not_said_again_while_a_workspace_is_made() -> None:
    steps = await play([user("say first\ncreate workspace\nsay last")], ok)
    assert names(steps) == [["list_templates"], ["create_workspace"], []]
    assert [said(step).count("first") for step in steps] == [1, 0, 0]


async def test_a_missing_workspace_is_made_and_the_command_tried_again() -> None:
    made: list[str] = []

    def answer(call: ToolCall) -> ToolResult:
        if call.name == "create_workspace":
            assert TEMPLATE in call.args
            made.append(call.id)
        if call.name == "execute" and not made:
            return ToolResult(
                call.id, "execute", {"error": "no workspace is associated with this chat."}, True
            )
        return ok(call)

    steps = await play([user("$ ls")], answer)
    assert names(steps) == [["execute"], ["list_templates"], ["create_workspace"], ["execute"], []]
    assert "dev" in said(steps[-1])


async def test_a_stopped_workspace_is_started() -> None:
    started: list[str] = []

    def answer(call: ToolCall) -> ToolResult:
        if call.name == "start_workspace":
            started.append(call.id)
        if call.name == "execute" and not started:
            return ToolResult(call.id, "execute", "no running agent: call start_workspace", True)
        return ok(call)

    steps = await play([user("$ ls")], answer)
    assert names(steps) == [["execute"], ["start_workspace"], ["execute"], []]


async def test_a_workspace_that_cannot_be_made_is_told_and_not_tried_for_ever() -> None:
    def answer(call: ToolCall) -> ToolResult:
        return ToolResult(call.id, call.name, "no workspace is associated with this chat", True)

    steps = await play([user("$ ls\n$ pwd")], answer)
    assert len(steps) < 10
    assert "no workspace" in said(steps[-1])


async def test_a_workspace_is_made_from_a_named_template() -> None:
    steps = await play([user("create workspace from docker named mine")], ok)
    call = steps[1].parts[0]
    assert isinstance(call, ToolCall)
    assert TEMPLATE in call.args
    assert "mine" in call.args
    steps = await play([user("create workspace from nowhere")], ok)
    assert "no template" in said(steps[-1])


async def test_sub_agents_are_started_and_waited_for() -> None:
    steps = await play([user("spawn count\n& explore look\nwait 5")], ok)
    assert names(steps) == [["spawn_agent", "spawn_agent"], ["wait_agent", "wait_agent"], []]
    assert "42 lines" in said(steps[-1])


async def test_a_tool_that_is_not_there_is_told_and_passed_over() -> None:
    steps = await play([user("say a\nwrite /a x\n$ ls")], ok, TOOLS[:1])
    assert names(steps) == [["execute"], []]
    assert said(steps[0]).startswith("a\nI have no tool write_file here.")


async def test_the_same_script_sent_again_runs_again() -> None:
    messages = [user("$ ls", 1)]
    await play(messages, ok)
    messages.append(user("$ ls", 9))
    steps = await play(messages, ok)
    assert names(steps) == [["execute"], []]
    ids = [p.id for m in messages for p in m.parts if isinstance(p, ToolCall)]
    assert len(set(ids)) == len(ids)


async def test_after_a_summary_it_goes_on_where_it_was() -> None:
    messages = [user("$ one\n$ two", 1)]
    step = finished(await ask(Request(tuple(messages), TOOLS)))
    messages.append(Message(Role.ASSISTANT, step.parts))
    messages.append(Message(Role.TOOL, tuple(ok(p) for p in step.parts if isinstance(p, ToolCall))))
    short = finished(await ask(Request(tuple(messages), TOOLS, ToolChoice.NONE)))
    steps = await play([user(said(short), 5), user("$ one\n$ two", 6)], ok)
    calls = [part for part in steps[0].parts if isinstance(part, ToolCall)]
    assert ["two" in call.args for call in calls] == [True]


async def test_notices_that_are_made_for_one_call_are_no_script() -> None:
    request = Request((user("$ ls", 3), user("say notice", 0)), TOOLS)
    assert names([finished(await ask(request))]) == [["execute"]]


async def test_without_instructions_it_says_what_it_is_and_what_it_understands() -> None:
    step = finished(await ask(Request((user("Fix the failing test"),), TOOLS)))
    assert "offline stand-in" in said(step).splitlines()[0]
    assert "$ COMMAND" in said(step)
    assert "execute" in said(step)


async def test_a_schema_is_filled() -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"title": {"type": "string"}}}
    step = finished(
        await ask(Request((user("Fix the big failing test of mine now"),), schema=schema))
    )
    assert said(step).strip() == '{"title": "Fix the big failing test of"}'


async def test_it_streams_words_and_pieces_of_arguments_that_make_up_the_whole() -> None:
    events = await ask(Request((user("think a  b\nsay one  two three\n$ " + "x" * 60),), TOOLS))
    text = "".join(e.text for e in events if isinstance(e, TextDelta))
    thought = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    args = [e.args for e in events if isinstance(e, ToolCallDelta)]
    done = [e.part for e in events if isinstance(e, PartDone)]
    assert tuple(done) == finished(events).parts
    assert done[0] == Reasoning(thought)
    assert done[1] == Text(text)
    assert isinstance(done[2], ToolCall)
    assert "".join(args) == done[2].args
    assert len(args) > 3
    assert finished(events).finish is Finish.TOOL_CALLS


async def test_it_tells_plausible_usage() -> None:
    usage = finished(await ask(Request((user("think hm\nsay " + "word " * 100),), TOOLS))).usage
    assert usage.input_tokens is not None
    assert usage.input_tokens > 100
    assert usage.output_tokens is not None
    assert usage.output_tokens > 100
    assert usage.reasoning_tokens is not None


async def test_it_fails_as_often_as_it_is_told_to() -> None:
    model = Scripted(FakeClock())
    request = Request((user("say a\nfail rate_limit 2 times\nsay b"),), TOOLS)
    for _ in range(2):
        with pytest.raises(ModelError) as failed:
            [event async for event in model.stream(request)]
        assert failed.value.kind is ErrorKind.RATE_LIMIT
        assert failed.value.retryable
    assert said(finished([event async for event in model.stream(request)])) == "a\nb\n"


async def test_slow_words_wait_for_the_clock() -> None:
    clock = FakeClock()
    stream = Scripted(clock).stream(Request((user("words 3 every 2\nsleep 60"),), TOOLS))

    async def listen() -> list[StreamEvent]:
        return [event async for event in stream]

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen())
        for seconds in (2, 2, 2, 60):
            await clock.wake_within(seconds)
    assert clock.monotonic() == 66
    assert said(finished(listening.result())) == "word1 word2 word3\n"
