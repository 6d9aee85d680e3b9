"""``coder config-ssh``: what it writes, when it writes nothing, and what it says to do next."""

from pathlib import Path

from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Deployment


def test_a_dry_run_shows_the_change_and_how_to_make_it(
    cli: Cli, deployment: Deployment, tmp_path: Path
) -> None:
    deployment.on(
        "GET /deployment/ssh",
        {"hostname_prefix": "coder.", "hostname_suffix": "coder", "ssh_config_options": {}},
    )
    file = tmp_path / "config-of-ssh"
    words = ("config-ssh", "--ssh-config-file", str(file), "--coder-binary-path", "/bin/coder")
    shown = cli(*words, "--dry-run")
    assert shown.code == 0, shown.err
    assert "+Host coder.*\n" in shown.out
    assert shown.err == "Nothing was written. Write it with: coder config-ssh\n"
    assert not file.exists()
    assert cli(*words, "--yes").err == f"Updated {file}.\nTry it: ssh coder.<workspace>\n"
    again = cli(*words, "--dry-run")
    assert again.out == ""
    assert again.err == f"{file} is already up to date.\nTry it: ssh coder.<workspace>\n"
