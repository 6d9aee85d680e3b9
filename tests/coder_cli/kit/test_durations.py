"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder_cli.kit.durations import format_duration, nanoseconds, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90s", 90), ("1h30m", 5400), ("7d", 604800), ("1.5h", 5400), ("-5s", -5)],
)
def test_parse(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "h", "1h30", "5 s", "1x", "9" * 30 + "y"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_formatting_and_parsing_agree(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


def test_nanoseconds_are_whole() -> None:
    assert nanoseconds(timedelta(days=7)) == 604_800_000_000_000
