"""What is kept of an output: its head and its tail, long lines cut, characters whole."""

import itertools
import threading
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from agent.processes.headtail import CUT, HEAD, LONGEST_LINE, OMITTED, TAIL, Excerpt, HeadTail


def kept(pieces: Iterable[bytes], *, ended: bool = True) -> Excerpt:
    buffer = HeadTail()
    for piece in pieces:
        buffer.write(piece)
    return buffer.read(ended=ended)


def lines(count: int) -> bytes:
    return b"".join(b"%09d\n" % number for number in range(count))


def test_nothing_is_nothing() -> None:
    assert kept([]) == Excerpt("", 0, 0)


def test_little_is_kept_whole() -> None:
    content = lines((HEAD + TAIL) // 10)
    assert kept([content]) == Excerpt(content.decode(), len(content), len(content))


def test_of_much_the_head_and_the_tail_are_kept_and_the_gap_is_told() -> None:
    content = lines(100_000)
    excerpt = kept([content])
    gap = OMITTED.format(len(content) - HEAD - TAIL)
    assert excerpt.text == content[:HEAD].decode() + gap + content[-TAIL:].decode()
    assert (excerpt.original, excerpt.retained, excerpt.omitted) == (
        1_000_000,
        HEAD + TAIL,
        1_000_000 - HEAD - TAIL,
    )
    assert gap == f"\n\n... [omitted {excerpt.omitted} bytes] ...\n\n"


def test_one_byte_more_than_fits_leaves_one_byte_out() -> None:
    content = lines((HEAD + TAIL) // 10 + 1)[: HEAD + TAIL + 1]
    assert kept([content]).omitted == 1


def test_a_long_line_is_cut_and_counts_as_omitted() -> None:
    content = b"a" * LONGEST_LINE + b"\n" + b"b" * (LONGEST_LINE + 1) + b"\nc\n"
    excerpt = kept([content])
    assert excerpt.text == f"{'a' * LONGEST_LINE}\n{'b' * LONGEST_LINE}{CUT}\nc\n"
    assert excerpt.omitted == 1


def test_a_long_line_is_cut_between_characters() -> None:
    content = ("a" * (LONGEST_LINE - 1) + "€€").encode()
    assert kept([content]).text == "a" * (LONGEST_LINE - 1) + CUT


def test_one_endless_line_is_two_pieces_of_it() -> None:
    excerpt = kept([b"x" * 1_000_000])
    head, _, tail = excerpt.text.partition(OMITTED.format(1_000_000 - HEAD - TAIL))
    assert head == tail == "x" * LONGEST_LINE + CUT
    assert excerpt.retained == 2 * LONGEST_LINE


def test_a_character_on_the_border_of_the_gap_is_left_out_whole() -> None:
    content = (("é" * 500 + "€") * 100).encode()
    for shift in range(4):
        text = kept([b"\n" * shift + content]).text
        assert "\N{REPLACEMENT CHARACTER}" not in text


def test_half_a_character_waits_for_the_other_half_while_more_may_come() -> None:
    first, second = "5 €".encode()[:3], "5 €".encode()[3:]
    assert kept([first], ended=False) == Excerpt("5 ", 2, 2)
    assert kept([first, second], ended=False).text == "5 €"
    assert kept([first]).text == "5 \N{REPLACEMENT CHARACTER}"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert kept([b"\xff\xfe\x00a"]).text == "\ufffd\ufffd\x00a"


def test_several_threads_may_write() -> None:
    buffer = HeadTail()

    def write() -> None:
        for _ in range(2000):
            buffer.write(b"0123456\n")
            buffer.read()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    excerpt = buffer.read()
    assert excerpt.original == 4 * 2000 * 8
    assert set(excerpt.text.replace(OMITTED.format(excerpt.omitted), "").split("\n")) == {
        "0123456",
        "",
    }


TEXT = st.text(st.sampled_from("a€é😀\n"), max_size=4000)


@given(TEXT.map(lambda text: text * 12), st.lists(st.integers(0, 60_000), max_size=6))
def test_however_it_is_written_the_same_is_kept(text: str, cuts: list[int]) -> None:
    content = text.encode()
    borders = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    excerpt = kept(content[one:other] for one, other in itertools.pairwise(borders))
    assert excerpt == kept([content])
    assert excerpt.original == len(content)
    assert "\N{REPLACEMENT CHARACTER}" not in excerpt.text
    assert excerpt.retained <= HEAD + TAIL
    assert all(len(line.encode()) <= LONGEST_LINE + len(CUT) for line in excerpt.text.split("\n"))
    if len(content) <= HEAD + TAIL and CUT not in excerpt.text:
        assert excerpt.text == text


@given(st.binary(max_size=5000).map(lambda data: data * 20), st.booleans())
def test_whatever_is_printed_the_text_is_bounded(data: bytes, ended: bool) -> None:
    excerpt = kept([data], ended=ended)
    assert 0 <= excerpt.retained <= min(excerpt.original, HEAD + TAIL)
    assert len(excerpt.text.encode()) <= 3 * (HEAD + TAIL) + 40 * len(CUT) + 100
