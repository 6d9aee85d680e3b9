"""Where an edit belongs, and what it leaves."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.files.edits import CannotEdit, apply
from coder_cli.sdk.agentapi.files import FileEdit


def edited(text: str, *edits: tuple[str, str] | tuple[str, str, bool]) -> str:
    return apply(text, [FileEdit(edit[0], edit[1], len(edit) == 3) for edit in edits])


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        ("a b c", [("b", "x")], "a x c"),
        ("a\nb\nc\n", [("b\n", "")], "a\nc\n"),
        ("a a", [("a", "b", True)], "b b"),
        ("a", [("a", "b"), ("b", "c")], "c"),
        # White space at ends of lines is forgiven, and where it was it is not brought back.
        ("one  \ntwo\t\nthree\n", [("one\ntwo\n", "1\n2\n")], "1\n2\nthree\n"),
        ("one\ntwo\n", [("one  \ntwo", "1\n2")], "1\n2\n"),
        # So is how far lines are indented: what replaces them is indented as they were.
        (
            "def f():\n        return 1\n",
            [(f"{12 * ' '}return 1", f"{12 * ' '}x = 1\n{12 * ' '}return x")],
            "def f():\n        x = 1\n        return x\n",
        ),
        (
            "if a:\n\tif b:\n\t\tc()\n",
            [("if b:\n\tc()", "if b:\n\td()\n\n\te()")],
            "if a:\n\tif b:\n\t\td()\n\n\t\te()\n",
        ),
        ("  a\n  a\n", [("    a\n", "    b\n", True)], "  b\n  b\n"),
        # The very text wins over a line that is nearly so.
        ("x \nx\ny", [("x\ny", "z")], "x \nz"),
        ("  x\n", [("x", "y")], "  y\n"),
        # Line ends stay what they are.
        ("a\r\nb\r\nc\r\n", [("a\nb\n", "1\n2\n3\n")], "1\r\n2\r\n3\r\nc\r\n"),
        ("a\r\nb\r\n", [("a", "1\n2")], "1\r\n2\r\nb\r\n"),
        ("a\r\nb\r\n", [("a\r\nb", "c")], "c\r\n"),
        ("a\r\nb\nc", [("a\nb", "1\n2")], "1\r\n2\r\nc"),
        ("", [], ""),
        ("a\nb", [("a\n", "")], "b"),
        ("  a  \nb", [("a\n", "")], "b"),
    ],
)
def test_edits(text: str, edits: Sequence[tuple[str, str]], expected: str) -> None:
    assert edited(text, *edits) == expected


@pytest.mark.parametrize(
    ("text", "edit", "words"),
    [
        ("abc", ("x", "y"), "search string not found in file"),
        ("abc", ("", "y"), "search must not be empty"),
        ("a a a", ("a", "b"), "search string matches 3 places"),
        ("a \nb\na \n", ("a\n", "c\n"), "search string matches 2 places"),
        ("a\n\nb", ("\n\n\n", "c"), "search string not found in file"),
        ("abc", ("  \n", "y"), "search string not found in file"),
        ("ab", ("a b", "c"), "search string not found in file"),
    ],
)
def test_what_cannot_be_edited(text: str, edit: tuple[str, str], words: str) -> None:
    with pytest.raises(CannotEdit, match=words):
        edited(text, edit)


LINES = st.lists(st.sampled_from(["a", "  b", "\tc ", "", "d  e"]), min_size=1, max_size=8)


@given(LINES, st.data(), st.sampled_from(["\n", "\r\n"]))
def test_replacing_something_with_itself_changes_nothing(
    lines: list[str], data: st.DataObject, end: str
) -> None:
    text = end.join(lines)
    first = data.draw(st.integers(0, len(lines) - 1))
    search = "\n".join(lines[first : data.draw(st.integers(first + 1, len(lines)))])
    if not search:
        return
    assert edited(text, (search, search, True)) == text


@given(LINES, LINES)
def test_an_edit_that_is_made_leaves_what_was_wished(lines: list[str], new: list[str]) -> None:
    before, after = "before\n", "\nafter"
    text = before + "\n".join(lines) + after
    try:
        result = edited(text, ("\n".join(lines) + after, "\n".join(new) + after))
    except CannotEdit:
        return
    assert result == before + "\n".join(new) + after
