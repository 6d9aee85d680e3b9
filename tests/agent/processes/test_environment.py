"""The six layers of a process's environment, lowest first."""

from pathlib import Path
from typing import Any

import pytest

from agent.processes import Environment, NoManifest
from coder_cli.sdk.agentapi import Secret
from tests.agent.control_plane import manifest_of

BASE = {"PATH": "/usr/bin:/bin", "HOME": "/home/ann", "LANG": "C", "CODER": "no"}


def _environment(base: dict[str, str] | None = None, **manifest: Any) -> Environment:
    return Environment(
        BASE if base is None else base,
        "secret-token",
        "/opt/my tools/coder",
        Path("/data/bin"),
        manifest_of(**manifest),
    )


def test_without_a_manifest_there_is_none() -> None:
    environment = Environment(BASE, "t", "/bin/coder", Path("/b"))
    with pytest.raises(NoManifest, match="no manifest"):
        environment.build()


def test_what_the_product_sets() -> None:
    env = _environment(vs_code_port_proxy_uri="https://{{port}}.example").build()
    assert {name: env[name] for name in env if name.startswith(("CODER", "GIT", "CS", "VSC"))} == {
        "CODER": "true",
        "CODER_WORKSPACE_NAME": "dev",
        "CODER_WORKSPACE_AGENT_NAME": "main",
        "CODER_WORKSPACE_OWNER_NAME": "alice",
        "CODER_AGENT_TOKEN": "secret-token",
        "GIT_SSH_COMMAND": "'/opt/my tools/coder' gitssh --",
        "GIT_ASKPASS": "/opt/my tools/coder",
        "CS_DISABLE_GETTING_STARTED_OVERRIDE": "true",
        "VSCODE_PROXY_URI": "https://{{port}}.example",
    }
    assert "VSCODE_PROXY_URI" not in _environment().build()


def test_each_layer_wins_over_those_below_it() -> None:
    additions = {"LANG": "session", "CODER": "session", "ONLY": "session", "X": "session"}
    manifest = {"CODER_WORKSPACE_NAME": "manifest", "X": "manifest", "GIT_ASKPASS": "manifest"}
    env = _environment(environment_variables=manifest).build(additions)
    assert env["HOME"] == "/home/ann"  # 1: the agent's own,
    assert env["LANG"] == "session"  # with what the session adds;
    assert env["CODER"] == "true"  # 2: the product;
    assert env["CODER_WORKSPACE_NAME"] == "manifest"  # 3: the manifest;
    assert env["X"] == "manifest"
    assert env["GIT_ASKPASS"] == "/opt/my tools/coder"  # 4: the agent's overlay;
    assert env["PATH"].startswith("/data/bin:")  # 5: the scripts' programs.
    assert env["ONLY"] == "session"


def test_values_of_the_manifest_are_expanded_against_what_is_there() -> None:
    variables = {"PATH": "$HOME/bin:$PATH", "A": "${LANG}-$CODER", "B": "$A+$MISSING"}
    env = _environment(environment_variables=variables).build()
    assert env["PATH"] == "/data/bin:/home/ann/bin:/usr/bin:/bin:/opt/my tools"
    assert env["B"] == "C-true+"


def test_our_own_directory_is_in_the_path_once() -> None:
    env = _environment({"PATH": "/opt/my tools:/bin"}).build()
    assert env["PATH"] == "/data/bin:/opt/my tools:/bin"


def test_secrets_become_variables() -> None:
    secrets = (Secret("hush", env_name="TOKEN"), Secret("file", file_path="~/x"))
    assert _environment(secrets=secrets).build()["TOKEN"] == "hush"


@pytest.mark.parametrize(
    ("directory", "expanded"),
    [("", "/home/ann"), ("~/p", "/home/ann/p"), ("p", "/home/ann/p"), ("$X/p", "/x/p")],
)
def test_the_directory_is_expanded(directory: str, expanded: str) -> None:
    environment = _environment(directory=directory, environment_variables={"X": "/x"})
    assert environment.expanded_directory() == expanded


def test_processes_start_at_home_when_the_directory_does_not_exist(tmp_path: Path) -> None:
    base = {**BASE, "HOME": str(tmp_path)}
    assert _environment(base, directory="~/later").directory() == str(tmp_path)
    (tmp_path / "later").mkdir()
    assert _environment(base, directory="~/later").directory() == str(tmp_path / "later")


def test_nothing_secret_is_in_the_representation() -> None:
    words = repr(_environment(environment_variables={"A": "hush"}))
    assert "secret-token" not in words
    assert "hush" not in words


def test_every_environment_names_the_owner_of_the_workspace() -> None:
    environment = Environment(BASE, "t", "/bin/coder", Path("/b"), manifest_of())
    assert environment.build()["CODER_WORKSPACE_OWNER_NAME"] == "alice"


def test_a_machine_that_logs_in_by_itself_gives_its_way_to_processes_and_no_token() -> None:
    base = {**BASE, "CODER_AGENT_TOKEN": "of-the-agent-around-us"}
    environment = Environment(
        base, "", "/bin/coder", Path("/b"), manifest_of(), auth="aws-instance-identity"
    )
    env = environment.build()
    assert env["CODER_AGENT_AUTH"] == "aws-instance-identity"
    assert "CODER_AGENT_TOKEN" not in env
