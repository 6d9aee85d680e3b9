"""The search grammar: keys, quotes, bare words, and refusals that name the offender."""

import pytest

from server.kit.errors import Invalid
from server.kit.query import parse

KEYS = {"owner", "name", "status"}


def test_keys_quotes_and_bare_words() -> None:
    query = parse('Owner:me name:"My Box" status:running,stopped two words', KEYS, "name")
    assert query.values == {
        "owner": ["me"],
        "name": ["my box", "two words"],
        "status": ["running,stopped"],
    }
    assert query.list("status") == ["running", "stopped"]
    assert query.text("owner") == "me"


@pytest.mark.parametrize(
    ("q", "field"),
    [
        ("colour:red", "colour"),
        ("a:b:c", "q"),
        (":me", "q"),
        ("owner:", "q"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(q: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(q, KEYS, "name")
    assert refusal.value.fields[0].field == field


def test_a_bare_word_needs_a_default_key() -> None:
    with pytest.raises(Invalid):
        parse("word", KEYS)


def test_a_key_given_twice_has_no_single_value() -> None:
    with pytest.raises(Invalid):
        parse("owner:a owner:b", KEYS).text("owner")


def test_flags_and_times() -> None:
    query = parse('owner:true name:"2026-01-02T03:04:05Z" status:nope', KEYS)
    assert query.flag("owner") is True
    moment = query.time("name")
    assert moment is not None
    assert moment.year == 2026
    with pytest.raises(Invalid):
        query.flag("status")
    with pytest.raises(Invalid):
        query.time("status")
