"""Where flags, the workspace and the command of ``coder ssh`` may stand."""

import pytest

from coder_cli.commands.ssh import parse
from coder_cli.kit.refused import Refused


@pytest.mark.parametrize(
    ("words", "wait", "command"),
    [
        ("dev", "auto", []),
        ("--wait no dev ls -la", "no", ["ls", "-la"]),
        ("dev --wait no", "no", []),
        ("dev --wait no ls -la --wait yes", "no", ["ls", "-la", "--wait", "yes"]),
        ("-A dev --wait=no -- ls -- -la", "no", ["ls", "--", "-la"]),
        ("dev -- ls -la", "auto", ["ls", "-la"]),
        ("dev ls --wait no", "auto", ["ls", "--wait", "no"]),
        ("--wait no -- dev ls", "no", ["ls"]),
        ("-- dev", "auto", []),
    ],
)
def test_flags_stand_before_the_command(words: str, wait: str, command: list[str]) -> None:
    options = parse(words.split())
    assert (options.workspace, options.wait, options.command) == ("dev", wait, command)


def test_flags_behind_the_workspace_are_all_heard() -> None:
    options = parse(["-e", "A=1", "dev", "-e", "B=2", "-A"])
    assert (options.env, options.forward_agent) == (["A=1", "B=2"], True)


def test_an_unknown_flag_is_no_command() -> None:
    with pytest.raises(Refused, match="--nope"):
        parse(["dev", "--nope"])
