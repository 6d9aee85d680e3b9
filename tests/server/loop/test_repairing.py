"""Histories as they were left, and as they are sent: one test for each row of the table."""

import base64
from dataclasses import replace
from uuid import UUID

import pytest

from server.llm import (
    ContextFile,
    File,
    FileReference,
    Json,
    Message,
    Part,
    Provenance,
    Reasoning,
    Role,
    Skill,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from server.loop import Target, repair
from server.loop.pairing import NO_RESULT
from server.loop.rendering import MISSING
from server.loop.repairing import BEGINNING, TOO_LARGE, faults
from tests.server.loop.world import ListLedger, Stage, asks, says, system, tool, uses

HERE = Target("anthropic", searching=True)
SIGNED = Provenance("anthropic", {"signature": "abc"})
FOREIGN = Provenance("openai", {"encrypted_content": "abc"})
SEARCH = ToolCall("srv_1", "web_search", '{"query":"x"}', provider_executed=True)
FOUND = ToolResult("srv_1", "web_search", [{"url": "u"}], provider_executed=True)


def said(*parts: Part, provider: str = "anthropic") -> Message:
    return Message(Role.ASSISTANT, parts, provider=provider)


def sent(*messages: Message, target: Target = HERE) -> tuple[Message, ...]:
    repaired = repair((*asks("hi"), *messages), target)
    assert repair(repaired, target) == repaired
    assert faults(repaired) == ()
    return repaired[1:]


def parts(*messages: Message, target: Target = HERE) -> list[Part]:
    return [part for message in sent(*messages, target=target) for part in message.parts]


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_edge_case_12_empty_text_and_reasoning_are_never_sent(blank: str) -> None:
    """Seed 003: providers refuse text blocks without text."""
    assert parts(said(Text(blank), Text("a"), Reasoning(blank), Text("b"))) == [
        Text("a"),
        Text("b"),
    ]
    assert sent(said(Text(blank))) == ()


def test_edge_case_12_signed_reasoning_is_kept_even_without_words() -> None:
    thought = Reasoning("", provenance=SIGNED)
    assert parts(said(thought, Text("a"))) == [thought, Text("a")]


@pytest.mark.parametrize("blank", ["", " "])
async def test_edge_case_12_nothing_empty_is_sent_between_steps_and_rows_stay(blank: str) -> None:
    history = [*asks("hi"), said(Text(blank), Text("hello")), *asks("go")]
    first = uses(ToolCall("1", "look"), text="x")
    first.parts = (Text(blank), *first.parts)
    stage = Stage(first, says("done"), tools=(tool("look"),), history=history)
    await stage.run()
    for request in stage.model.asked:
        texts = [p for m in request.messages for p in m.parts if isinstance(p, Text)]
        assert all(text.text.strip() for text in texts)
    stored = stage.ledger.rows[0].parts[0]
    assert isinstance(stored, Text)
    assert stored.text == blank
    assert stage.ledger.messages[1] == history[1]


def test_edge_case_11_an_orphan_search_goes_and_everything_else_stays() -> None:
    """Seed 000 (CODAGT-448): the row keeps it, the model never sees it, no result is made up."""
    thought = Reasoning("hm", provenance=SIGNED)
    row = said(thought, Text("I look it up."), SEARCH, Text("Well."))
    assert parts(row) == [thought, Text("I look it up."), Text("Well.")]
    assert row.parts[2] == SEARCH


def test_edge_case_11_thinking_before_an_orphan_search_is_kept_before_a_sentence() -> None:
    thought = Reasoning("hm", provenance=SIGNED)
    kept = parts(said(thought, SEARCH))
    assert kept[0] == thought
    assert isinstance(kept[1], Text)
    assert not any(isinstance(part, ToolResult) for part in kept)


def test_a_whole_search_is_sent_again_to_whoever_made_it_while_it_is_offered() -> None:
    whole = said(SEARCH, FOUND, Text("found"))
    assert parts(whole) == [SEARCH, FOUND, Text("found")]
    assert parts(whole, target=replace(HERE, searching=False)) == [Text("found")]
    assert parts(whole, target=Target("openai", searching=True)) == [Text("found")]
    assert parts(said(FOUND, SEARCH, Text("x"))) == [Text("x")]
    assert parts(said(FOUND, Text("x"))) == [Text("x")]


def test_a_removed_result_in_a_signed_answer_leaves_a_sentence() -> None:
    fetch = replace(SEARCH, name="web_fetch")
    fetched = replace(FOUND, name="web_fetch")
    thought = Reasoning("hm", provenance=SIGNED)
    kept = parts(said(thought, fetch, fetched, Text("so")))
    assert kept == [thought, Text("[What web_fetch found was left out.]"), Text("so")]
    assert parts(said(fetch, fetched, Text("so"))) == [Text("so")]


def test_an_open_search_goes_back_to_a_provider_that_paused() -> None:
    history = (*asks("hi"), said(SEARCH))
    assert repair(history, replace(HERE, resuming=True))[1].parts == (SEARCH,)
    assert repair(history, HERE) == tuple(asks("hi"))


def test_trap_05_unsigned_thinking_and_that_of_others_is_not_sent() -> None:
    row = said(Reasoning("cut off"), Reasoning("other", provenance=FOREIGN), Text("a"))
    assert parts(row) == [Text("a")]
    assert parts(row, target=Target("openai"))[0] == Reasoning("other", provenance=FOREIGN)


def test_an_answer_does_not_end_in_thinking() -> None:
    thought = Reasoning("hm", provenance=SIGNED)
    assert parts(said(Text("a"), thought)) == [Text("a")]
    assert sent(said(thought)) == ()


def test_edge_case_13_a_provider_that_stores_gets_no_reasoning_back() -> None:
    row = said(Reasoning("hm", provenance=FOREIGN), Text("a"), provider="openai")
    assert parts(row, target=Target("openai", stores=True)) == [Text("a")]


def test_what_others_attached_to_words_and_calls_is_not_sent() -> None:
    row = said(Text("a", provenance=FOREIGN), ToolCall("1", "look", provenance=FOREIGN))
    kept = parts(row)
    assert kept[:2] == [Text("a"), ToolCall("1", "look")]
    own = said(Text("a", provenance=SIGNED))
    assert parts(own) == [Text("a", provenance=SIGNED)]


def test_edge_case_15_a_call_without_a_result_is_answered_at_once() -> None:
    repaired = sent(said(Text("a"), ToolCall("1", "look")), *asks("well?"))
    assert repaired[1] == Message(Role.TOOL, (ToolResult("1", "look", NO_RESULT, is_error=True),))
    assert repaired[2].role is Role.USER


def test_edge_case_15_a_result_without_a_call_gets_one() -> None:
    repaired = sent(said(Text("a")), Message(Role.TOOL, (ToolResult("9", "look", "seen"),)))
    assert repaired[1].parts == (ToolCall("9", "look"),)
    assert repaired[2].parts == (ToolResult("9", "look", "seen"),)


def test_edge_case_15_results_stand_behind_their_calls_wherever_they_were() -> None:
    first, second = ToolCall("1", "look"), ToolCall("2", "look")
    repaired = sent(
        said(first, second),
        Message(Role.TOOL, (ToolResult("2", "look", "two"),)),
        *asks("hurry"),
        Message(Role.TOOL, (ToolResult("1", "look", "one"),)),
    )
    assert [message.role for message in repaired] == [Role.ASSISTANT, Role.TOOL, Role.USER]
    results = [part.result for part in repaired[1].parts if isinstance(part, ToolResult)]
    assert results == ["one", "two"]


def test_edge_case_15_odd_ids_are_replaced_on_both_sides() -> None:
    odd = "call:1/ä\x00"
    call, result = sent(
        said(ToolCall(odd, "look")), Message(Role.TOOL, (ToolResult(odd, "look", "x"),))
    )
    assert call.parts == (ToolCall("call_1___", "look"),)
    assert result.parts == (ToolResult("call_1___", "look", "x"),)


def test_edge_case_15_ids_that_look_alike_afterwards_stay_apart() -> None:
    repaired = sent(
        said(ToolCall("a.b", "look"), ToolCall("a:b", "look"), ToolCall("", "look")),
        Message(Role.TOOL, (ToolResult("a:b", "look", "second"),)),
        Message(Role.TOOL, (ToolResult("a.b", "look", "first"),)),
    )
    assert [part.id for part in repaired[0].parts if isinstance(part, ToolCall)] == [
        "a_b",
        "a_b_2",
        "call",
    ]
    results = [part.result for part in repaired[1].parts if isinstance(part, ToolResult)]
    assert results == ["first", "second", NO_RESULT]


def test_edge_case_15_an_id_that_a_model_uses_again_means_the_newest_call() -> None:
    """Local models call every call ``call_0``."""
    again = [
        said(ToolCall("call_0", "look")),
        Message(Role.TOOL, (ToolResult("call_0", "look", "first"),)),
        said(ToolCall("call_0", "look")),
        Message(Role.TOOL, (ToolResult("call_0", "look", "second"),)),
    ]
    repaired = sent(*again)
    ids = [p.id for m in repaired for p in m.parts if isinstance(p, ToolCall)]
    assert ids == ["call_0", "call_0_2"]
    results = [p.result for m in repaired for p in m.parts if isinstance(p, ToolResult)]
    assert results == ["first", "second"]
    del again[1]
    results = [p.result for m in sent(*again) for p in m.parts if isinstance(p, ToolResult)]
    assert results == [NO_RESULT, "second"]


def test_a_second_result_of_one_call_is_left_out() -> None:
    repaired = sent(
        said(ToolCall("1", "look")),
        Message(Role.TOOL, (ToolResult("1", "look", "a"), ToolResult("1", "look", "b"))),
    )
    assert len(repaired) == 2
    assert [part.result for part in repaired[1].parts if isinstance(part, ToolResult)] == ["a"]


@pytest.mark.parametrize("args", ["", "{", "[1]", "null", '{"a": NaN}', '"x"', "{}{}"])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(args: str) -> None:
    call = parts(said(ToolCall("1", "look", args)))[0]
    assert isinstance(call, ToolCall)
    assert call.args == "{}"


def test_good_arguments_are_sent_as_they_are() -> None:
    raw = '{ "b": 1,  "a": "\\u00e4" }'
    call = parts(said(ToolCall("1", "look", raw)))[0]
    assert isinstance(call, ToolCall)
    assert call.args == raw


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_result_is_an_empty_object(empty: Json) -> None:
    _, result = parts(
        said(ToolCall("1", "look")), Message(Role.TOOL, (ToolResult("1", "look", empty),))
    )
    assert isinstance(result, ToolResult)
    assert result.result == {}


def test_edge_case_14_nul_is_sent_as_it_is_and_halves_of_characters_are_replaced() -> None:
    value: Json = {"k\x00": ["a\x00b", "\ud800x", "\ue000"]}
    call, result = parts(
        said(ToolCall("1", "look", '{"a": "\\ud83d"}')),
        Message(Role.TOOL, (ToolResult("1", "look", value),)),
    )
    assert isinstance(result, ToolResult)
    assert isinstance(call, ToolCall)
    assert result.result == {"k\x00": ["a\x00b", "\ufffdx", "\ue000"]}
    assert call.args == '{"a": "\ufffd"}'
    assert parts(said(Text("x\udc00")))[0] == Text("x\ufffd")


def test_sources_are_not_sent() -> None:
    assert parts(said(Text("a"), Source("1", "https://x"))) == [Text("a")]


def test_what_the_system_says_later_is_said_as_a_notice() -> None:
    """Trap 4 of the models' page: it would be moved to the front, and the cache be lost."""
    repaired = repair((system("s"), *asks("hi"), said(Text("a")), system("note")), HERE)
    assert [message.role for message in repaired] == [
        Role.SYSTEM,
        Role.USER,
        Role.ASSISTANT,
        Role.USER,
    ]


def test_a_history_that_begins_with_an_answer_gets_a_beginning() -> None:
    repaired = repair((system("s"), said(Text("a"))), HERE)
    assert repaired[1] == Message(Role.USER, (Text(BEGINNING),))


def test_a_prompt_without_any_message_is_refused() -> None:
    assert faults(repair((system("s"),), HERE))


# What people send -------------------------------------------------------------------------------


def heard(*given: Part, target: Target = HERE) -> list[Part]:
    return [part for m in repair((Message(Role.USER, given),), target) for part in m.parts]


def data(text: bytes) -> str:
    return base64.b64encode(text).decode()


def test_a_missing_file_leaves_a_mark() -> None:
    assert heard(File("image/png", UUID(int=1))) == [Text(MISSING)]
    assert heard(File("text/plain", data="%%%")) == [Text(MISSING)]


def test_pasted_text_is_said_in_words_up_to_128_kib() -> None:
    name = "pasted-text-2026-03-11-13-14-06.txt"
    assert heard(File("text/plain", data=data(b"pasted"), name=name)) == [Text("pasted")]
    [long] = heard(File("text/plain", data=data(b"x" * 200_000), name=name))
    assert isinstance(long, Text)
    assert long.text.startswith("x" * 131072 + "\n[")


def test_an_attached_text_is_said_with_its_name() -> None:
    [text] = heard(File("text/csv", data=data(b"a,b"), name="n.csv"))
    assert text == Text('<attached-file name="n.csv">\na,b\n</attached-file>')


def test_pictures_stay_unless_they_are_too_large() -> None:
    small = File("image/png", data=data(b"x"))
    large = File("image/png", data=data(b"x" * (5 * 1024 * 1024 + 10)))
    assert heard(small) == [small]
    assert heard(large) == [Text(TOO_LARGE)]
    assert heard(large, target=Target("openai")) == [large]


def test_lines_of_a_file_are_fenced() -> None:
    assert heard(FileReference("a.py", 3, 5, "x\n```\ny")) == [
        Text("a.py:3-5\n````\nx\n```\ny\n````")
    ]
    assert heard(FileReference("a.py", 3, 3, "x")) == [Text("a.py:3\n```\nx\n```")]


def test_what_was_found_in_a_workspace_is_one_block() -> None:
    found = (ContextFile("/a/AGENTS.md", "be good"), Skill("deploy", "puts it online"))
    [text] = heard(*found)
    assert isinstance(text, Text)
    assert text.text.startswith("<workspace-context>")
    assert "- deploy: puts it online" in text.text
    assert heard(ContextFile("")) == []


async def test_the_rows_are_never_changed() -> None:
    row = said(Text(""), SEARCH, ToolCall("a.b", "look", "{"))
    ledger = ListLedger([*asks("hi"), row])
    before = await ledger.history()
    repair(before, HERE)
    assert before[1] is row
