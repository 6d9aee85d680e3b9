"""What a template brings along that is ours to decide: where its state is, whose provider."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.terraform import InstalledTerraform, Stage
from tests.server.terraform.conftest import Driver
from tests.server.terraform.test_process_mode import LOCK
from tests.server.terraform.world import HEADER, needs_terraform, tar, template

pytestmark = needs_terraform

BOX = 'resource "coder_agent" "a" {\n  os   = "linux"\n  arch = "amd64"\n}\n'


@pytest.mark.parametrize(
    "block",
    [
        'backend "s3" {\n    bucket = "theirs"\n    key    = "state"\n  }',
        'backend "http" {\n    address = "http://localhost:1/state"\n  }',
        'cloud {\n    organization = "theirs"\n    workspaces {\n      name = "dev"\n    }\n  }',
    ],
    ids=["s3", "http", "cloud"],
)
async def test_a_state_elsewhere_is_kept_here(driver: Driver, block: str) -> None:
    archive = template(f"terraform {{\n  {block}\n}}\n{BOX}")
    found = await driver.learn(archive)
    assert found.error is None
    built = await driver.build(archive)
    assert built.error is None
    assert built.state is not None
    assert b"coder_agent" in built.state
    gone = await driver.build(archive, "delete", built.state)
    assert gone.error is None


async def test_a_lock_file_that_names_another_coder_provider_does_no_harm(driver: Driver) -> None:
    archive = template(BOX, **{".terraform.lock.hcl": LOCK})
    assert (await driver.learn(archive)).error is None
    assert (await driver.build(archive)).error is None


@pytest.mark.parametrize("constraint", ["~> 0.12", "1.0.0", ">= 2.15"])
async def test_a_version_constraint_of_any_year_is_met(driver: Driver, constraint: str) -> None:
    header = HEADER.replace('"coder/coder" }', f'"coder/coder", version = "{constraint}" }}')
    assert (await driver.learn(tar({"main.tf": header + BOX}))).error is None


async def test_knobs_of_the_servers_terraform_are_named_and_not_used(driver: Driver) -> None:
    knobs = {"TF_LOG": "TRACE", "TF_VAR_secret": "hunter2", "TF_CLI_ARGS_plan": "-destroy"}
    host = {**driver.options.host, **knobs}
    driver.terraform = InstalledTerraform(replace(driver.options, host=host))
    assert (await driver.build(template(BOX))).error is None
    warned = ("warn", Stage.SETTING_UP)
    said = [text for level, stage, text in driver.console.lines if (level, stage) == warned]
    assert said == [
        "The server's own TF_CLI_ARGS_plan=-destroy is not used.",
        "The server's own TF_LOG=TRACE is not used.",
        "The server's own TF_VAR_secret=<value redacted> is not used.",
    ]


async def test_an_older_terraform_is_warned_about_once_per_import(
    driver: Driver, tmp_path: Path
) -> None:
    old = tmp_path / "terraform"
    old.write_text('#!/bin/sh\necho \'{"terraform_version": "1.9.8"}\'\n')
    old.chmod(0o755)
    driver.terraform = InstalledTerraform(replace(driver.options, binary=old))
    await driver.learn(template(BOX))
    warned = [text for level, _, text in driver.console.lines if level == "warn"]
    assert warned == [
        "terraform 1.9.8 evaluates both sides of && and ||; some modules rely on 1.12.0 or newer"
    ]
