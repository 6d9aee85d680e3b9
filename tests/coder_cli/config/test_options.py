"""Global flags: where they may stand, and who wins."""

from pathlib import Path

import pytest

from coder_cli.commands.table import passes_on
from coder_cli.config.options import Globals, parse
from coder_cli.kit.refused import Refused


def read(*words: str, **env: str) -> tuple[Globals, list[str]]:
    """Parse a command line in an environment."""
    return parse(words, env, passes_on)


def test_flags_stand_before_and_after_a_command() -> None:
    before, rest = read("--url", "https://a", "list", "--all")
    after, same = read("list", "--url=https://a", "--all")
    assert before.text("url") == after.text("url") == "https://a"
    assert rest == same == ["list", "--all"]


def test_what_follows_a_command_that_passes_words_on_is_its_own() -> None:
    options, rest = read("--url", "https://a", "ssh", "dev", "psql", "--url", "x", "-v")
    assert options.text("url") == "https://a"
    assert not options.on("verbose")
    assert rest == ["ssh", "dev", "psql", "--url", "x", "-v"]


def test_nothing_is_read_after_two_dashes() -> None:
    assert read("list", "--", "--url", "x")[1] == ["list", "--", "--url", "x"]


def test_a_flag_beats_the_environment() -> None:
    options, _ = read("--url", "https://flag", CODER_URL="https://env")
    assert options.settings["url"] == (("https://flag",), "flag")
    options, _ = read(CODER_URL="https://env")
    assert options.settings["url"] == (("https://env",), "env")


def test_headers_repeat_and_the_variable_is_a_list() -> None:
    assert read("--header", "a=b", "--header", "c=d")[0].texts("header") == ("a=b", "c=d")
    assert read(CODER_HEADER="a=b,c=d")[0].texts("header") == ("a=b", "c=d")


@pytest.mark.parametrize(
    ("words", "env", "on"),
    [
        (["--verbose"], {}, True),
        (["-v"], {}, True),
        (["--verbose=false"], {"CODER_VERBOSE": "true"}, False),
        ([], {"CODER_VERBOSE": "1"}, True),
        ([], {"CODER_VERBOSE": ""}, False),
        ([], {}, False),
    ],
)
def test_switches(words: list[str], env: dict[str, str], *, on: bool) -> None:
    assert read(*words, **env)[0].on("verbose") is on


def test_a_switch_that_is_neither_is_refused() -> None:
    with pytest.raises(Refused, match="neither true nor false"):
        read("--verbose=maybe")
    with pytest.raises(Refused, match="CODER_VERBOSE is a switch"):
        read(CODER_VERBOSE="maybe")


def test_a_flag_without_its_value_is_refused() -> None:
    with pytest.raises(Refused, match="--url needs a value: --url <url>"):
        read("list", "--url")


def test_the_directory_is_where_it_is_said_to_be() -> None:
    assert read(CODER_CONFIG_DIR="/a")[0].config_dir == Path("/a")
    assert read("--global-config", "/b", CODER_CONFIG_DIR="/a")[0].config_dir == Path("/b")
    assert read()[0].config_dir.name == "coderv2"
