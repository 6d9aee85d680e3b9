"""The real terraform behind the door: what imports learn, builds make, and failures leave."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from server.terraform import Built, ErrorCode, InstalledTerraform, Options, Stage, installed
from tests.server.terraform.builds import TINY, message, objects, shell
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import (
    Listener,
    needs_terraform,
    tar,
    template,
)

pytestmark = needs_terraform


async def test_import_learns_what_a_template_offers(driver: Driver) -> None:
    found = await driver.learn(TINY, region="us", gone="x")
    assert found.error is None
    assert found.readme == "# Tiny\n"
    assert [(v.name, v.default_value, v.value) for v in found.variables] == [("region", "eu", "us")]
    (cpu,) = found.parameters
    assert (cpu.type, cpu.default_value, cpu.validation_min, cpu.required) == (
        "number",
        "2",
        1,
        False,
    )
    assert [p.parameters for p in found.presets] == [{"cpu": "8"}]
    assert [(e.id, e.optional) for e in found.external_auth] == [("github", True)]
    assert found.workspace_tags == {"region": "us", "cpu": "2"}
    assert not found.has_ai_task
    assert not found.has_external_agent


async def test_import_lists_resources_of_start_and_of_stop(driver: Driver) -> None:
    found = await driver.learn(TINY)
    assert [r.address for r in found.start_resources] == [
        "terraform_data.box[0]",
        "terraform_data.home",
    ]
    assert [r.address for r in found.stop_resources] == ["terraform_data.home"]
    (agent,) = found.start_resources[0].agents
    assert [a.slug for a in agent.apps] == ["ide"]
    assert agent.env == {"PATH": "/b:/a:/bin"}
    assert found.start_resources[0].daily_cost == 3


async def test_import_logs_its_stages_in_order(driver: Driver) -> None:
    await driver.learn(template('resource "terraform_data" "stages" {}'))
    assert driver.console.stages == [
        Stage.SETTING_UP,
        Stage.PARSE,
        Stage.PARSE_PARAMETERS,
        Stage.INIT,
        Stage.DETECT_PERSISTENT,
        Stage.DETECT_EPHEMERAL,
    ]


async def test_import_asks_for_required_variables(driver: Driver) -> None:
    found = await driver.learn(template('variable "a" {}\nvariable "b" {}\nvariable "c" {}'), b="")
    assert found.error is not None
    assert found.error.code is ErrorCode.REQUIRED_TEMPLATE_VARIABLES
    assert found.error.message == "required template variables need values: a, c"
    assert [v.name for v in found.variables if v.required] == ["a", "b", "c"]


async def test_import_counts_values_in_the_templates_own_files(driver: Driver) -> None:
    archive = template('variable "a" {}', **{"terraform.tfvars": 'a = "1"\n'})
    assert (await driver.learn(archive)).error is None


async def test_variables_keep_their_types_and_their_dollars(driver: Driver) -> None:
    archive = template(
        """
        variable "text" {}
        variable "list" { type = list(string) }
        variable "number" { type = number }
        resource "terraform_data" "a" {
          input = "${var.text}|${join(",", var.list)}|${var.number + 1}"
        }
        """
    )
    given = {"text": "${x} %{y}", "list": '["a", "b"]', "number": "4", "undeclared": "x"}
    built = await driver.build(archive, variables=given)
    assert objects(built.state)["terraform_data.a"]["attributes"]["output"]["value"] == (
        "${x} %{y}|a,b|5"
    )


async def test_a_workspace_lives_start_stop_start_delete(driver: Driver) -> None:
    scripts = {"linux_amd64": "go ${ACCESS_URL}"}
    first = await driver.build(TINY, parameters={"cpu": "3"}, agent_scripts=scripts)
    assert first.error is None
    box, home = first.resources
    (agent,) = box.agents
    assert UUID(agent.token)
    assert agent.scripts[0].display_name == "Startup Script"
    assert agent.apps[0].slug == "ide"
    assert agent.env == {"PATH": "/b:/a:/bin"}
    assert [(m.key, m.value) for m in box.metadata] == [("cpu", "3")]
    assert home.agents == ()
    held = objects(first.state)
    assert "go http://localhost:3000/" in held["terraform_data.box"]["attributes"]["input"]["value"]

    stopped = await driver.build(TINY, "stop", first.state)
    assert [r.address for r in stopped.resources] == ["terraform_data.home"]
    assert "runs in no resource" not in driver.console.text

    again = await driver.build(TINY, "start", stopped.state, agent_scripts=scripts)
    assert objects(again.state)["terraform_data.home"] == held["terraform_data.home"]
    assert again.resources[0].agents[0].token != agent.token

    gone = await driver.build(TINY, "delete", again.state)
    assert gone.error is None
    assert objects(gone.state) == {}
    assert gone.resources == ()


async def test_build_logs_stages_and_keeps_timings(driver: Driver) -> None:
    built = await driver.build(TINY)
    assert driver.console.stages[0] == Stage.SETTING_UP
    assert driver.console.stages[-3:] == [Stage.PLAN, Stage.QUOTA, Stage.START]
    assert "terraform_data.home: Creating..." in driver.console.text
    assert "Apply complete! Resources: 7 added, 0 changed, 0 destroyed." in driver.console.text
    assert {t.stage for t in built.timings} == {"init", "plan", "apply", "graph"}
    (made,) = [t for t in built.timings if (t.resource, t.action) == ("coder_agent.main", "create")]
    assert made.source == "coder"
    assert made.started_at <= made.ended_at


async def test_a_debug_build_logs_what_terraform_does(driver: Driver) -> None:
    archive = template('resource "terraform_data" "a" {}')
    assert (await driver.build(archive, debug=True)).error is None
    said = [text for level, _, text in driver.console.lines if level == "debug"]
    assert any("Building and walking plan graph" in text for text in said)
    assert not any(level == "trace" for level, _, _ in driver.console.lines)


async def test_dry_run_makes_nothing(driver: Driver, tmp_path: Path) -> None:
    archive = template(shell(f"touch {tmp_path}/made"))
    built = await driver.terraform.dry_run(driver.request(archive), Listener())
    assert built.error is None
    assert [r.address for r in built.resources] == ["terraform_data.box"]
    assert built.state is None
    assert not (tmp_path / "made").exists()


async def test_deleting_without_a_state_is_done_at_once(driver: Driver) -> None:
    built = await driver.build(template("broken {"), "delete")
    assert built == Built()
    last = "The terraform state does not exist, there is nothing to do"
    assert driver.console.text.splitlines()[-1] == last


async def test_a_failed_apply_returns_what_it_made_and_the_next_build_mends_it(
    driver: Driver, tmp_path: Path
) -> None:
    archive = template(
        shell("true", "first")
        + f"""
        resource "terraform_data" "second" {{
          depends_on = [terraform_data.first]
          provisioner "local-exec" {{
            command = "echo looking; test -e {tmp_path}/fixed"
          }}
        }}
        """
    )
    failed = await driver.build(archive)
    assert message(failed).startswith("terraform apply: main.tf:")
    assert 'in resource "terraform_data" "second": local-exec provisioner error' in message(failed)
    assert "terraform_data.second: (local-exec): looking" in driver.console.text
    held = objects(failed.state)
    assert "status" not in held["terraform_data.first"]
    assert held["terraform_data.second"]["status"] == "tainted"
    assert failed.resources == ()

    (tmp_path / "fixed").touch()
    mended = await driver.build(archive, "start", failed.state)
    assert mended.error is None
    assert objects(mended.state)["terraform_data.first"] == held["terraform_data.first"]
    assert "status" not in objects(mended.state)["terraform_data.second"]


async def test_a_plan_that_fails_after_its_summary_is_no_apply(driver: Driver) -> None:
    archive = template(
        'resource "terraform_data" "a" {}\n'
        'resource "terraform_data" "b" {\n  count = length(terraform_data.a.id)\n}\n'
    )
    built = await driver.build(archive)
    assert message(built).startswith('terraform plan: main.tf:9, in resource "terraform_data" "b"')
    assert "Plan: 1 to add" in driver.console.text
    assert Stage.START not in driver.console.stages
    assert built.state is None


async def test_a_build_without_changes_ends_in_its_own_stage(driver: Driver) -> None:
    archive = template('resource "terraform_data" "same" {}')
    first = await driver.build(archive)
    assert first.error is None
    again = await driver.build(archive, "stop", first.state)
    assert again.error is None
    said = [(stage, text) for _, stage, text in driver.console.lines if "complete!" in text]
    assert said == [(Stage.STOP, "Apply complete! Resources: 0 added, 0 changed, 0 destroyed.")]


async def test_a_failed_plan_returns_the_state_it_was_given(driver: Driver) -> None:
    first = await driver.build(TINY)
    failed = await driver.build(TINY, "start", first.state, parameters={"cpu": "99"})
    assert 'in data "coder_parameter" "cpu"' in message(failed)
    assert "value 99 is more than the maximum 8" in message(failed)
    assert failed.state == first.state


async def test_script_rules_fail_the_apply(driver: Driver) -> None:
    archive = template(
        """
        resource "coder_script" "s" {
          agent_id     = "a"
          display_name = "s"
          script       = "true"
        }
        """
    )
    assert (await driver.learn(archive)).error is None
    failed = await driver.build(archive)
    assert 'at least one of "run_on_start", "run_on_stop", or "cron" must be set' in message(failed)


async def test_a_refused_name_still_returns_the_state(driver: Driver) -> None:
    archive = template(
        """
        resource "coder_agent" "my_agent" {
          os   = "linux"
          arch = "amd64"
        }
        resource "terraform_data" "box" {
          input = coder_agent.my_agent.id
        }
        """
    )
    found = await driver.learn(archive)
    assert found.error is not None
    assert 'main.tf:8, in resource "coder_agent" "my_agent": agent name' in found.error.message
    built = await driver.build(archive)
    assert 'agent name "my_agent" contains underscores' in message(built)
    assert "terraform_data.box" in objects(built.state)


async def test_a_mistake_of_our_own_does_not_cost_the_state(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(installed, "resources", broken)
    built = await driver.build(template('resource "terraform_data" "a" {}'))
    assert message(built) == "The job failed inside the server: 'oops'"
    assert "terraform_data.a" in objects(built.state)


async def test_a_backend_of_the_template_is_not_used(driver: Driver, tmp_path: Path) -> None:
    archive = template(
        f"""
        terraform {{
          backend "local" {{
            path = "{tmp_path}/theirs.tfstate"
          }}
        }}
        resource "terraform_data" "a" {{}}
        """
    )
    built = await driver.build(archive)
    assert "terraform_data.a" in objects(built.state)
    assert not (tmp_path / "theirs.tfstate").exists()
    again = await driver.build(archive, "start", built.state)
    assert "0 added, 0 changed, 0 destroyed" in driver.console.text
    assert again.error is None


async def test_terraform_is_prepared_once_for_each_template(driver: Driver) -> None:
    archive = template('resource "terraform_data" "once" {}')
    await driver.build(archive)
    assert Stage.INIT in driver.console.stages
    await driver.build(archive)
    assert Stage.INIT not in driver.console.stages


async def test_builds_of_one_template_run_side_by_side(driver: Driver) -> None:
    archive = template('resource "terraform_data" "many" {}\nvariable "x" { default = "" }')
    async with asyncio.TaskGroup() as group:
        builds = [group.create_task(driver.build(archive)) for _ in range(3)]
    assert [build.result().error for build in builds] == [None] * 3
    states = {objects(b.result().state)["terraform_data.many"]["attributes"]["id"] for b in builds}
    assert len(states) == 3


async def test_templates_see_no_secret_of_the_server(driver: Driver, tmp_path: Path) -> None:
    built = await driver.build(
        template(shell(f"env > {tmp_path}/env; cat /proc/$PPID/cmdline > {tmp_path}/args")),
        variables={"secret": "hidden"},
        parameters={"p": "x"},
    )
    assert built.error is None
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert not [name for name in names if name.startswith("CODER_")]
    assert "hidden" not in (tmp_path / "args").read_text()
    assert "PATH" in names


async def test_nobody_else_can_look_into_the_work_directory(driver: Driver) -> None:
    await driver.build(template('resource "terraform_data" "a" {}'), variables={"s": "x"})
    assert driver.last_dir.stat().st_mode & 0o777 == 0o700


async def test_a_hostile_archive_is_a_clean_failure(driver: Driver) -> None:
    assert message(await driver.build(tar({"../x": ""}))) == (
        "'../x' reaches outside of the template."
    )
    found = await driver.learn(b"not a tar")
    assert found.error is not None
    assert "cannot be unpacked" in found.error.message


async def test_without_terraform_the_failure_says_what_to_do(driver: Driver) -> None:
    nowhere = {"PATH": str(driver.root)}
    driver.terraform = InstalledTerraform(Options(cache_dir=driver.root / "cache", host=nowhere))
    assert "Terraform is not installed where the server runs" in message(await driver.build(TINY))
    found = await driver.learn(TINY)
    assert found.error is not None
    assert "--terraform-binary" in found.error.message
    assert driver.terraform.missing() == found.error.message
