"""What others wrote is shown, never acted on."""

import json

import pytest

from coder_cli import ui
from coder_cli.ui.printer import harmless

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"


@pytest.mark.parametrize(
    "text",
    [
        CLIPBOARD,
        "\x1b]0;a title\x1b\\",
        "\x1b[2J\x1b[H",
        "\x1b[1A\x1b[2K",
        "\x9b2J",
        "\x1bc",
        "one\rother",
        "\x08\x08",
        "\x7f",
        "\u202egnp.exe",
    ],
)
def test_nothing_that_a_terminal_acts_on_is_printed(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    ui.result(text)
    ui.note(text)
    ui.warn(text)
    seen = capsys.readouterr()
    for shown in (seen.out, seen.err):
        assert all(char.isprintable() or char == "\n" for char in shown)


def test_colours_lines_and_other_languages_stay() -> None:
    text = "\x1b[31mrot\x1b[0m\tüber\n日本語 ✔\r\n"
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[8mhidden", "\x1b[8mhidden\x1b[0m"),
        ("\x1b[0m\x1b[31mrot\n", "\x1b[0m\x1b[31mrot\x1b[0m\n"),
        ("\x1b[31mrot\x1b[mblack", "\x1b[31mrot\x1b[mblack"),
    ],
)
def test_a_colour_ends_with_what_it_is_in(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_json_stays_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": f"{CLIPBOARD}\x9b2J\u202e ü"}
    ui.result_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed) == value
    assert "\x9b" not in printed


def test_questions_are_harmless_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from io import StringIO

    monkeypatch.setattr("sys.stdin", StringIO("x\n"))
    ui.Asker(force_tty=True).text(f"Region{CLIPBOARD}", flag="--parameter")
    assert "\x1b]" not in capsys.readouterr().err
