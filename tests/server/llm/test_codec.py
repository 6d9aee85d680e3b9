"""What is stored of parts comes back to the bit, and only what clients may see is served."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.llm import (
    ContextFile,
    File,
    FileReference,
    Part,
    Provenance,
    Reasoning,
    Skill,
    Source,
    Text,
    ToolCall,
    ToolResult,
    UnreadableContent,
    decode,
    encode,
    public,
)
from server.llm.nul import escape_text, restore_text

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ID = UUID("11111111-2222-3333-4444-555555555555")

words = st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("\0\ue000\ue001"))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
trees = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
moments = st.none() | st.datetimes(timezones=st.just(UTC))
ids = st.none() | st.uuids()
provenances = st.none() | st.builds(Provenance, words, st.dictionaries(words, trees, max_size=3))
commands = st.lists(st.lists(words).map(tuple)).map(tuple)
parts = st.one_of(
    st.builds(Text, words, moments, provenances),
    st.builds(Reasoning, words, moments, moments, provenances),
    st.builds(ToolCall, words, words, words, st.booleans(), commands, ids, moments, provenances),
    st.builds(
        ToolResult,
        words,
        words,
        trees,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        ids,
        moments,
        provenances,
    ),
    st.builds(Source, words, words, words),
    st.builds(File, words, ids, words, words),
    st.builds(FileReference, words, st.integers(), st.integers(), words),
    st.builds(ContextFile, words, words, st.booleans(), ids, words, words),
    st.builds(Skill, words, words, words, words, ids),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(parts, max_size=4).map(tuple))
def test_edge_case_14_parts_with_nul_in_strings_keys_and_nested_json_come_back_to_the_bit(
    stored: tuple[Part, ...],
) -> None:
    text = encode(stored)
    assert "\\u0000" not in text.replace("\\\\", "")
    assert decode(json.loads(text), 1) == stored
    assert decode(text, 1) == stored


@given(words)
def test_escaped_text_has_no_nul_and_comes_back(text: str) -> None:
    assert "\0" not in escape_text(text)
    assert restore_text(escape_text(text)) == text


def test_nul_and_its_mark_are_written_as_the_reference_says() -> None:
    assert escape_text("a\0b") == "a\ue000\ue001b"
    assert escape_text("\ue000") == "\ue000\ue000"
    assert escape_text("plain") == "plain"


def test_text_that_is_no_text_becomes_the_replacement_character() -> None:
    assert decode(encode((Text("a\ud800b"),)), 1) == (Text("a\ufffdb"),)


def test_a_number_that_json_has_no_word_for_becomes_null() -> None:
    result = ToolResult("1", "t", {"x": float("nan"), "y": [float("inf")]})
    assert decode(encode((result,)), 1) == (ToolResult("1", "t", {"x": None, "y": [None]}),)


def test_arguments_and_signed_blobs_keep_the_order_of_their_keys() -> None:
    call = ToolCall("1", "t", '{"zz": 1, "a": 2}', provenance=Provenance("x", {"zz": 1, "a": 2}))
    stored = json.loads(encode((call,)))
    # jsonb sorts keys: by length, then by letters.
    sorted_keys = json.loads(json.dumps(stored, sort_keys=True))
    (again,) = decode(sorted_keys, 1)
    assert isinstance(again, ToolCall)
    assert again.args == call.args
    assert again.provenance is not None
    assert list(again.provenance.blob) == ["zz", "a"]


@pytest.mark.parametrize("version", [0, 2, 99])
def test_an_unknown_version_is_an_error(version: int) -> None:
    with pytest.raises(UnreadableContent, match=str(version)):
        decode([], version)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [1],
        [{}],
        [{"type": "hologram"}],
        [{"type": "text", "text": 1}],
        [{"type": "text"}],
        [{"type": "file", "media_type": "a/b", "file_id": "no id"}],
        [{"type": "reasoning", "text": "", "provider_metadata": {"provider": "x", "blob": "["}}],
    ],
)
def test_what_is_malformed_is_an_error_and_not_guessed(content: object) -> None:
    with pytest.raises(UnreadableContent):
        decode(content, 1)


def test_what_is_internal_is_not_served() -> None:
    signed = Provenance("anthropic", {"signature": "s3cret"})
    everything: list[Part] = [
        Text("hi", NOON, signed),
        Reasoning("hm", NOON, NOON, signed),
        ToolCall("c", "execute", '{"command": "ls"}', parsed_commands=(("ls", "-l"),)),
        ContextFile("/a/AGENTS.md", "secret words", True, ID, "linux", "/a"),
        Skill("deploy", "Deploys.", "/a/.agents", "SKILL.md", ID),
        File("image/png", ID, "aGk=", "x.png"),
    ]
    assert [public(part) for part in everything] == [
        {"type": "text", "text": "hi", "created_at": "2026-05-01T12:00:00Z"},
        {
            "type": "reasoning",
            "text": "hm",
            "created_at": "2026-05-01T12:00:00Z",
            "completed_at": "2026-05-01T12:00:00Z",
        },
        {
            "type": "tool-call",
            "tool_call_id": "c",
            "tool_name": "execute",
            "args": {"command": "ls"},
            "parsed_commands": [["ls", "-l"]],
        },
        {
            "type": "context-file",
            "context_file_path": "/a/AGENTS.md",
            "context_file_truncated": True,
            "context_file_agent_id": str(ID),
        },
        {
            "type": "skill",
            "skill_name": "deploy",
            "skill_description": "Deploys.",
            "context_file_agent_id": str(ID),
        },
        {"type": "file", "media_type": "image/png", "file_id": str(ID), "name": "x.png"},
    ]


def test_arguments_that_are_no_json_are_served_as_the_text_they_are() -> None:
    assert public(ToolCall("c", "t", '{"a": '))["args"] == '{"a": '


def test_an_inline_file_without_id_keeps_its_data() -> None:
    assert public(File("text/plain", data="aGk="))["data"] == "aGk="


def test_empty_reasoning_and_null_results_are_still_there() -> None:
    kept: tuple[Part, ...] = (Reasoning(""), ToolResult("1", "t", None))
    assert decode(encode(kept), 1) == kept
    assert public(kept[1])["result"] is None
