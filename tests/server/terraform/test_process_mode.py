"""The provider as a program of its own, for people who run terraform by hand."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coder_cli.kit.environ import environ
from tests.server.terraform.world import HEADER, needs_terraform

ROOT = Path(__file__).parents[3]


def clean() -> dict[str, str]:
    return {n: v for n, v in environ().items() if not n.startswith(("TF_", "CODER_"))}


def test_started_by_a_person_it_says_what_it_is() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "server.terraform.provider"],
        cwd=ROOT,
        env=clean(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "Terraform starts it" in ended.stderr


@needs_terraform
@pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform on PATH")
@pytest.mark.parametrize("tls", [True, False])
def test_terraform_starts_it_and_speaks_mutual_tls(tmp_path: Path, *, tls: bool) -> None:
    program = tmp_path / "plugins" / "terraform-provider-coder"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\ncd '{ROOT}' && exec '{sys.executable}' -m server.terraform.provider\n"
    )
    program.chmod(0o755)
    (tmp_path / "rc").write_text(
        f'provider_installation {{\n  dev_overrides {{\n    "coder/coder" = "{program.parent}"\n'
        "  }\n  direct {}\n}\n"
    )
    (tmp_path / "main.tf").write_text(
        HEADER + 'data "coder_workspace" "me" {}\n'
        'output "name" {\n  value = data.coder_workspace.me.name\n}\n'
    )
    env = clean() | {
        "TF_CLI_CONFIG_FILE": str(tmp_path / "rc"),
        "CHECKPOINT_DISABLE": "1",
        "CODER_WORKSPACE_NAME": "by-hand",
    }
    if not tls:
        env["TF_DISABLE_PLUGIN_TLS"] = "1"
    ended = subprocess.run(
        ["terraform", "plan", "-no-color", "-input=false"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert '+ name = "by-hand"' in ended.stdout
