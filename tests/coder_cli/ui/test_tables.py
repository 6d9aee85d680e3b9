"""Tables: aligned, whole when piped, chosen columns, JSON on wish."""

import json

import pytest

from coder_cli.kit.refused import Refused
from coder_cli.sdk.common import NameValue
from coder_cli.ui.tables import Column, Listing, show_table

LISTING: Listing[NameValue] = Listing(
    [Column("name", lambda row: row.name), Column("its value", lambda row: row.value)],
    ["name"],
    "Nothing here.",
)
ROWS = [NameValue(name="a", value="1"), NameValue(name="longer", value="[bold]x")]


def test_columns_are_aligned_and_upper_case(capsys: pytest.CaptureFixture[str]) -> None:
    LISTING.show(ROWS, output="table", columns="Its Value, name")
    assert capsys.readouterr().out == "ITS VALUE  NAME\n1          a\n[bold]x    longer\n"


def test_nothing_is_cut_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(["A", "B"], [["x" * 500, "y" * 500]])
    assert "x" * 500 + "  " + "y" * 500 in capsys.readouterr().out


def test_wide_characters_take_two_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(["A", "B"], [["日本", "x"], ["ab", "y"]])
    assert capsys.readouterr().out == "A     B\n日本  x\nab    y\n"


def test_json_has_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    LISTING.show(ROWS, output="json")
    assert json.loads(capsys.readouterr().out)[1] == {"name": "longer", "value": "[bold]x"}


def test_an_empty_list_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    LISTING.show([], output="table")
    assert capsys.readouterr() == ("", "Nothing here.\n")
    LISTING.show([], output="json")
    assert capsys.readouterr() == ("[]\n", "")


def test_unknown_columns_and_forms_are_refused() -> None:
    with pytest.raises(Refused, match="Choose from: name, its value"):
        LISTING.show(ROWS, output="table", columns="nope")
    with pytest.raises(Refused, match="Choose from: table, json"):
        LISTING.show(ROWS, output="yaml")
