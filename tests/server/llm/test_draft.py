"""What an interrupted answer keeps."""

from datetime import UTC, datetime, timedelta

from server.llm import (
    Draft,
    Finish,
    Finished,
    PartDone,
    Provenance,
    Reasoning,
    ReasoningDelta,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIGNED = Provenance("anthropic", {"signature": "s"})


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_text_and_reasoning_so_far_are_kept_and_reasoning_ends_with_the_interrupt() -> None:
    draft = Draft()
    draft.add(ReasoningDelta(0, "Let me "), at(0))
    draft.add(ReasoningDelta(0, "think"), at(1))
    draft.add(TextDelta(1, "Hel"), at(2))
    draft.add(TextDelta(1, "lo"), at(3))
    assert draft.interrupted(at(4)) == (
        Reasoning("Let me think", at(0), at(4)),
        Text("Hello", at(2)),
    )


def test_whole_blocks_keep_their_signature_and_their_own_times() -> None:
    draft = Draft()
    draft.add(ReasoningDelta(0, "hm"), at(0))
    draft.add(PartDone(0, Reasoning("hm", provenance=SIGNED)), at(2))
    draft.add(TextDelta(1, "so"), at(3))
    assert draft.interrupted(at(9)) == (
        Reasoning("hm", at(0), at(2), SIGNED),
        Text("so", at(3)),
    )


def test_whole_calls_are_kept_and_half_written_ones_show_how_far_they_came() -> None:
    draft = Draft()
    draft.add(ToolCallDelta(0, "a", "execute"), at(0))
    draft.add(ToolCallDelta(0, "", "", '{"command": "ls"}'), at(1))
    draft.add(PartDone(0, ToolCall("a", "execute", '{"command": "ls"}')), at(1))
    draft.add(ToolCallDelta(1, "b", "write_file", '{"path": "/a"'), at(2))
    draft.add(ToolCallDelta(1, "", "", ', "con'), at(3))
    assert draft.interrupted(at(4)) == (
        ToolCall("a", "execute", '{"command": "ls"}', created_at=at(0)),
        ToolCall("b", "write_file", '{"path": "/a", "con', created_at=at(2)),
    )


def test_half_written_calls_of_the_providers_own_tools_are_dropped() -> None:
    draft = Draft()
    draft.add(ToolCallDelta(0, "s", "web_search", '{"qu', provider_executed=True), at(0))
    assert draft.interrupted(at(1)) == ()


def test_blank_text_and_reasoning_are_dropped() -> None:
    draft = Draft()
    draft.add(ReasoningDelta(0, " "), at(0))
    draft.add(TextDelta(1, "\n"), at(0))
    assert draft.interrupted(at(1)) == ()


def test_a_whole_answer_comes_with_the_times_of_its_blocks() -> None:
    draft = Draft()
    draft.add(TextDelta(0, "Hi"), at(0))
    draft.add(PartDone(0, Text("Hi")), at(1))
    draft.add(Finished((Text("Hi"),), Usage(), Finish.STOP), at(2))
    assert draft.parts(at(3)) == (Text("Hi", at(0)),)


def test_a_model_that_only_tells_the_end_is_enough() -> None:
    draft = Draft()
    draft.add(Finished((Text("Hi"), Reasoning("x")), Usage(), Finish.STOP), at(2))
    assert draft.parts(at(3)) == (Text("Hi", at(3)), Reasoning("x", at(3), at(3)))
