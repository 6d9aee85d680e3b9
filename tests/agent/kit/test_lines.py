"""Lines are whole, clean and bounded, however the bytes arrive."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.kit.lines import LONGEST, LineSplitter


def _split(*pieces: bytes) -> list[str]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.flush()


def test_lines_are_cut_at_line_ends_and_empty_ones_are_kept() -> None:
    assert _split(b"one\ntwo\r\n\nthree") == ["one", "two", "", "three"]


def test_nothing_gives_nothing() -> None:
    assert _split(b"") == []


def test_what_no_database_takes_is_replaced() -> None:
    assert _split(b"a\0b\xff\n") == ["a❌b\ufffd"]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_it_does_not_matter_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert _split(*pieces) == _split(data)


def test_a_line_without_end_is_cut() -> None:
    lines = _split(b"x" * (2 * LONGEST), b"x" * 10 + b"\nnext\n")
    assert [len(line) for line in lines] == [LONGEST, LONGEST, 10, 4]
