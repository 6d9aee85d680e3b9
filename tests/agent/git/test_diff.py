"""Diffs within limits, without git."""

import pytest

from agent.git.diff import (
    LARGEST_TOTAL,
    FileDiff,
    Patch,
    Splitter,
    addition,
    file_too_large,
    human,
    quoted,
    stub,
)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10 * 1024, "10 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (2 * 1024 * 1024 + 1, "2.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
    ],
)
def test_sizes_are_for_people(size: int, words: str) -> None:
    assert human(size) == words


@pytest.mark.parametrize("step", [1, 2, 3, 5, 11, 12, 13, 1000])
def test_a_diff_is_cut_into_files_however_it_arrives(step: int) -> None:
    one = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-diff --git a/q b/q\n+ \n"
    two = b"diff --git a/y z b/y z\n+two\n"
    found: list[FileDiff] = []
    splitter = Splitter(found.append)
    whole = one + two
    for at in range(0, len(whole), step):
        splitter.feed(whole[at : at + step])
    splitter.end()
    assert [bytes(each.content) for each in found] == [one, two]
    assert [each.name for each in found] == [b"x", b"y z"]


def test_no_diff_is_no_file() -> None:
    found: list[FileDiff] = []
    Splitter(found.append).end()
    assert found == []


def test_a_diff_of_one_file_has_256_kib() -> None:
    found: list[FileDiff] = []
    splitter = Splitter(found.append)
    splitter.feed(b"diff --git a/x b/x\n")
    for _ in range(300):
        splitter.feed(b"+" + bytes(1023))
    splitter.end()
    assert found[0].shown() == stub(b"x", "File diff too large to show. Diff size: 300 KiB")
    assert len(found[0].content) < 100_000


def test_all_diffs_have_3_mib() -> None:
    patch = Patch()
    for _ in range(3 * 1024):
        patch.add(bytes(1024))
    assert len(patch.text()) == LARGEST_TOTAL
    patch.add(b"x")
    assert patch.text() == (
        "Total diff too large to show. Size: 3.0 MiB. Showing branch and remote only."
    )


def test_a_file_over_2_mib_is_told_of() -> None:
    assert file_too_large(b"big", 5 * 1024 * 1024).splitlines()[-1] == (
        b"+File too large to diff. Current size: 5.0 MiB"
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (b"plain", b"plain"),
        ("grün".encode(), "grün".encode()),
        (b'a"b', b'"a\\"b"'),
        (b"a\nb\tc\\", b'"a\\nb\\tc\\\\"'),
        (b"\x01\x7f", b'"\\001\\177"'),
    ],
)
def test_odd_names_are_quoted_and_read_back(name: bytes, written: bytes) -> None:
    assert quoted(name) == written
    diff = FileDiff()
    diff.take(b"diff --git " + quoted(b"a/" + name) + b" " + quoted(b"b/" + name) + b"\n")
    assert diff.name == name


def test_new_files_without_a_last_line_feed_say_so() -> None:
    assert addition(b"x", b"100644", b"one\ntwo").endswith(
        b"@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n"
    )
    assert addition(b"x", b"100644", b"one\n").endswith(b"@@ -0,0 +1 @@\n+one\n")
