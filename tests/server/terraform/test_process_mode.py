"""The provider as a program of its own, for people who run terraform by hand."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from coder_cli.kit.environ import environ
from server.terraform import InstalledTerraform, cliconfig
from tests.server.terraform.conftest import Driver
from tests.server.terraform.warm import run, terraform
from tests.server.terraform.world import HEADER, needs_terraform, template

ROOT = Path(__file__).parents[3]
LOCK = """
provider "registry.terraform.io/coder/coder" {
  version     = "2.4.0"
  constraints = "~> 2.0"
  hashes = [
    "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  ]
}
"""


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


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The provider as terraform wants to find it."""
    made = tmp_path / "plugins" / "terraform-provider-coder"
    made.parent.mkdir()
    made.write_text(
        f"#!/bin/sh\ncd '{ROOT}' && exec '{sys.executable}' -m server.terraform.provider\n"
    )
    made.chmod(0o755)
    return made


@needs_terraform
async def test_a_build_may_use_the_provider_of_a_path(driver: Driver, program: Path) -> None:
    driver.terraform = InstalledTerraform(replace(driver.options, provider=str(program)))
    request = driver.request(
        template(
            'data "coder_workspace" "me" {}\n'
            'resource "terraform_data" "dev" {\n'
            '  count = data.coder_workspace.me.name == "dev" ? 1 : 0\n}\n',
            **{".terraform.lock.hcl": LOCK},
        )
    )
    built = await driver.terraform.dry_run(request, driver.console)
    assert built.error is None
    assert [r.name for r in built.resources] == ["dev"]


@needs_terraform
async def test_a_site_may_insist_on_the_published_provider(
    driver: Driver, program: Path, tmp_path: Path
) -> None:
    """Then terraform fetches it by the site's own settings; a mirror stands in for the registry."""
    site = cliconfig.write(tmp_path / "site", str(program), "")
    host = {**driver.options.host, "TF_CLI_CONFIG_FILE": str(site)}
    options = replace(driver.options, provider="registry", host=host, cache_dir=tmp_path / "c")
    driver.terraform = InstalledTerraform(options)
    built = await driver.build(
        template(
            'data "coder_workspace" "me" {}\n'
            'resource "coder_agent" "main" {\n  os   = "linux"\n  arch = "amd64"\n}\n'
            'resource "terraform_data" "dev" {\n'
            '  count = data.coder_workspace.me.name == "dev" ? 1 : 0\n'
            "  input = coder_agent.main.id\n}\n"
        )
    )
    assert built.error is None
    assert [(r.name, len(r.agents)) for r in built.resources] == [("dev", 1)]


@needs_terraform
@pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform on PATH")
def test_a_person_may_run_terraform_by_hand(tmp_path: Path, program: Path) -> None:
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
        # The build above speaks mutual TLS; this is the other way.
        "TF_DISABLE_PLUGIN_TLS": "1",
    }
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


SUITE = """
variables {
  name = "tested"
}
run "the_slug_is_the_name" {
  command = apply
  assert {
    condition     = coder_app.it.slug == "tested"
    error_message = "The slug is not the name."
  }
}
run "a_bad_name_is_refused" {
  command = plan
  variables {
    name = "Not A Slug"
  }
  expect_failures = [coder_app.it]
}
"""
TESTED = """
variable "name" {
  type = string
}
resource "coder_app" "it" {
  agent_id = "a"
  slug     = lower(var.name)
  lifecycle {
    precondition {
      condition     = var.name == lower(var.name)
      error_message = "Lower case only."
    }
  }
}
"""


@needs_terraform
async def test_a_person_may_use_a_mirror_and_test_modules(tmp_path: Path, program: Path) -> None:
    (tmp_path / "main.tf").write_text(HEADER + TESTED)
    (tmp_path / "it.tftest.hcl").write_text(SUITE)
    # No TF_DISABLE_PLUGIN_TLS here: every start is a handshake with certificates of both sides.
    env = {"TF_CLI_CONFIG_FILE": str(cliconfig.write(tmp_path / "cache", str(program), ""))}
    ready = await run(tmp_path, "init", "-input=false", env=env)
    assert ready.code == 0, ready.text
    tested = await run(tmp_path, "test", env=env)
    assert tested.code == 0, tested.text
    assert "Success! 2 passed, 0 failed." in tested.text


@needs_terraform
async def test_modules_are_tested_with_the_warm_provider_too(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(HEADER + TESTED)
    (tmp_path / "it.tftest.hcl").write_text(SUITE)
    assert (await terraform(tmp_path, "init")).code == 0
    tested = await terraform(tmp_path, "test")
    assert tested.code == 0, tested.text
    assert "Success! 2 passed, 0 failed." in tested.text
