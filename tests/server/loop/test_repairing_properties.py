"""Whatever a history looks like: repaired it is valid, stays so, and says nothing new."""

import json
import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.llm import (
    Message,
    Part,
    Provenance,
    Reasoning,
    Role,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from server.loop import Target, clean, repair
from server.loop.pairing import NO_RESULT, plain_id
from server.loop.repairing import BEGINNING, faults, scrubbed
from server.loop.weight import weigh

PLAIN = set(string.ascii_letters + string.digits + "_-")
PROVIDERS = ("anthropic", "openai", "google", "openai-compat")

ids = st.sampled_from(["1", "2", "a.b", "a:b", "a_b", "", "ä", "x\x00", "y" * 80])
names = st.sampled_from(["look", "web_search", "web_fetch", ""])
words = st.one_of(
    st.sampled_from(["", " ", "\n", "a", "b\x00c", "\ud800", "d \ue000"]), st.text(max_size=8)
)
marks = st.one_of(
    st.none(),
    st.builds(
        Provenance,
        st.sampled_from(PROVIDERS),
        st.sampled_from([dict[str, object](), {"signature": "s"}]),
    ),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=5,
)
args = st.one_of(st.sampled_from(["", "{", "[]", '{"a": 1}', '{"a": "\\ud800"}', "{}{}"]), words)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, words, provenance=marks),
    st.builds(Reasoning, words, provenance=marks),
    st.builds(ToolCall, ids, names, args, provider_executed=st.booleans(), provenance=marks),
    st.builds(ToolResult, ids, names, values, provider_executed=st.booleans(), provenance=marks),
    st.builds(Source, ids, words),
)
messages = st.builds(
    Message,
    st.sampled_from(list(Role)),
    st.lists(parts, max_size=5).map(tuple),
    provider=st.sampled_from(["", *PROVIDERS]),
)
histories = st.lists(messages, max_size=8)
targets = st.builds(Target, st.sampled_from(PROVIDERS), st.booleans(), st.booleans())
often = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@often
@given(histories, targets)
def test_repairing_twice_changes_nothing(history: list[Message], target: Target) -> None:
    once = repair(history, target)
    assert repair(once, target) == once


@often
@given(histories, targets)
def test_a_repaired_history_is_valid(history: list[Message], target: Target) -> None:
    repaired = repair(history, target)
    if any(message.role is not Role.SYSTEM for message in repaired):
        assert faults(repaired) == ()
    seen: set[str] = set()
    roles = [message.role for message in repaired]
    assert Role.SYSTEM not in roles[roles.count(Role.SYSTEM) :]
    for message in repaired:
        assert message.parts
        if message.role is Role.ASSISTANT:
            assert not isinstance(message.parts[-1], Reasoning)
        for part in message.parts:
            assert not isinstance(part, Source)
            if isinstance(part, ToolCall | ToolResult):
                assert part.id
                assert set(part.id) <= PLAIN
                assert len(part.id) <= 64
            if isinstance(part, ToolCall):
                assert isinstance(json.loads(part.args), dict)
                if not part.provider_executed:
                    assert part.id not in seen
                    seen.add(part.id)
            if isinstance(part, Reasoning):
                assert part.provenance
                assert part.provenance.provider == target.provider
                assert not target.stores
            if isinstance(part, ToolResult):
                json.dumps(part.result, ensure_ascii=False, allow_nan=False).encode()


@often
@given(histories, targets)
def test_searches_are_whole_or_gone(history: list[Message], target: Target) -> None:
    for message in repair(history, target):
        calls = [p.id for p in message.parts if isinstance(p, ToolCall) and p.provider_executed]
        found = [p.id for p in message.parts if isinstance(p, ToolResult) and p.provider_executed]
        assert calls == sorted(set(calls), key=calls.index)
        assert sorted(calls) == sorted(found)
        assert target.searching or not calls


@often
@given(histories, targets)
def test_nothing_is_said_that_nobody_said(history: list[Message], target: Target) -> None:
    said = {scrubbed(p.text) for m in history for p in m.parts if isinstance(p, Text | Reasoning)}
    results = [p for m in history for p in m.parts if isinstance(p, ToolResult)]
    answered = 0
    for part in (part for message in repair(history, target) for part in message.parts):
        if isinstance(part, Text | Reasoning):
            assert part.text in said or part.text == BEGINNING or part.text.startswith("[What ")
        if isinstance(part, ToolResult) and part.result != NO_RESULT:
            answered += 1
    assert answered <= len(results)


@often
@given(histories, targets, st.lists(messages, max_size=2))
def test_what_was_sent_stays_a_prefix_of_what_is_sent(
    history: list[Message], target: Target, more: list[Message]
) -> None:
    """Prompt caches hold the longest prefix: an answer and a question change nothing before."""
    before = [*history, Message(Role.USER, (Text("q"),))]
    after = [*before, Message(Role.ASSISTANT, (Text("a"),)), Message(Role.USER, (Text("q"),))]
    first, second = repair(before, target), repair(after, target)
    assert second[: len(first)] == first


@often
@given(histories)
def test_weighing_never_fails(history: list[Message]) -> None:
    assert weigh(history) >= 0


@often
@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_an_id_is_plain(text: str) -> None:
    assert set(plain_id(text)) <= PLAIN
