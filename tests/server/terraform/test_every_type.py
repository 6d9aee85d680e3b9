"""Every type of coder/coder in one template, through the real terraform."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from server.terraform import Built, Resource, TaskFacts, installed
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import HEADER, needs_terraform, tar, template

pytestmark = needs_terraform

TASK = TaskFacts(UUID("0f8fad5b-d9cb-469f-a165-70867728950e"), "Write it down.")

EVERYTHING = template(
    """
    provider "coder" {
      alias = "other"
      url   = "https://other.example.com"
    }
    data "coder_workspace" "me" {}
    data "coder_workspace" "other" { provider = coder.other }
    data "coder_workspace_owner" "me" {}
    data "coder_provisioner" "host" {}
    data "coder_task" "me" {}
    data "coder_external_auth" "git" { id = "github" }
    data "coder_secret" "token" {
      env          = "API_TOKEN"
      help_message = "Ask Ann."
    }
    data "coder_workspace_tags" "tags" {
      tags = { os = data.coder_provisioner.host.os }
    }
    data "coder_parameter" "sizes" {
      name      = "sizes"
      type      = "list(string)"
      form_type = "multi-select"
      default   = jsonencode(["s"])
      dynamic "option" {
        for_each = ["s", "m"]
        content {
          name  = upper(option.value)
          value = option.value
        }
      }
    }
    data "coder_parameter" "name" {
      name    = "name"
      default = "x1"
      validation {
        regex = "^[[:alpha:]]\\\\d$"
        error = "A letter and a digit."
      }
    }
    data "coder_workspace_preset" "nightly" {
      name       = "nightly"
      default    = true
      parameters = { (data.coder_parameter.name.name) = "y2" }
      prebuilds {
        instances = 1
        expiration_policy { ttl = 86400 }
        scheduling {
          timezone = "UTC"
          schedule {
            cron      = "* 8-18 * * 1-5"
            instances = 3
          }
        }
      }
    }
    resource "coder_agent" "b" {
      for_each = toset(["only"])
      os       = "linux"
      arch     = "amd64"
    }
    resource "coder_agent" "a" {
      os              = "linux"
      arch            = "amd64"
      shutdown_script = "bye"
      order           = 2
      metadata {
        key      = "k"
        script   = "s"
        interval = 5
      }
      display_apps {
        vscode = false
      }
      resources_monitoring {
        memory {
          enabled   = true
          threshold = 80
        }
        volume {
          path      = "/home"
          enabled   = true
          threshold = 90
        }
        volume {
          path      = "/srv"
          enabled   = false
          threshold = 50
        }
      }
    }
    resource "coder_agent_instance" "main" {
      agent_id    = coder_agent.a.id
      instance_id = "i-1"
    }
    resource "coder_app" "ide" {
      for_each = { a = coder_agent.a, b = coder_agent.b["only"] }
      agent_id = each.value.id
      slug     = "ide-${each.key}"
      url      = "http://localhost:1"
      healthcheck {
        url       = "http://localhost:1/ok"
        interval  = 5
        threshold = 6
      }
    }
    resource "coder_script" "cron" {
      agent_id     = coder_agent.b["only"].id
      display_name = "Nightly"
      script       = "true"
      cron         = "0 0 3 * * *"
      timeout      = 60
    }
    resource "coder_env" "home" {
      agent_id = coder_agent.a.id
      name     = "WHERE"
      value    = data.coder_workspace.other.access_url
    }
    resource "coder_devcontainer" "dev" {
      agent_id         = coder_agent.a.id
      workspace_folder = "/src"
    }
    resource "coder_ai_task" "task" {
      count  = data.coder_task.me.enabled ? 1 : 0
      app_id = coder_app.ide["a"].id
    }
    resource "coder_external_agent" "machine" {
      agent_id = coder_agent.b["only"].id
    }
    resource "terraform_data" "box" {
      input = {
        agent  = coder_agent.a.id
        sizes  = jsondecode(data.coder_parameter.sizes.value)
        secret = nonsensitive(data.coder_secret.token.value)
        auth   = nonsensitive(data.coder_external_auth.git.access_token)
        prompt = data.coder_task.me.prompt
        owner  = data.coder_workspace_owner.me.name
        ready  = one(data.coder_workspace_preset.nightly.prebuilds).instances
      }
    }
    resource "coder_metadata" "box" {
      resource_id = terraform_data.box.id
      daily_cost  = 4
      item {
        key       = "owner"
        value     = data.coder_workspace_owner.me.name
        sensitive = true
      }
      item {
        key = "nothing"
      }
    }
    """
)


async def build(driver: Driver, state: bytes | None = None) -> Built:
    return await driver.build(
        EVERYTHING,
        "start",
        state,
        parameters={"sizes": '["s","m"]'},
        secret_env={"API_TOKEN": "t0"},
        external_auth={"github": "gh"},
        task=TASK,
    )


def by_name(resources: tuple[Resource, ...]) -> dict[str, Resource]:
    return {resource.address: resource for resource in resources}


async def test_import(driver: Driver) -> None:
    found = await driver.learn(EVERYTHING)
    assert found.error is None
    assert [(p.name, p.form_type, p.value) for p in found.parameters] == [
        ("name", "input", "x1"),
        ("sizes", "multi-select", '["s"]'),
    ]
    (preset,) = found.presets
    assert preset.default
    assert preset.prebuilds is not None
    assert (preset.prebuilds.ttl_seconds, preset.prebuilds.timezone) == (86400, "UTC")
    assert [(s.cron, s.instances) for s in preset.prebuilds.schedule] == [("* 8-18 * * 1-5", 3)]
    assert [a.id for a in found.external_auth] == ["github"]
    assert found.has_external_agent
    assert not found.has_ai_task
    homes = {r.address: [a.name for a in r.agents] for r in found.start_resources}
    assert homes == {"terraform_data.box": ["a"], "coder_external_agent.machine": ["b"]}


async def test_build(driver: Driver) -> None:
    built = await build(driver)
    assert built.error is None
    made = by_name(built.resources)
    (a,), (b,) = (
        made["terraform_data.box"].agents,
        made["coder_external_agent.machine"].agents,
    )
    assert [app.slug for app in a.apps] == ["ide-a"]
    assert [app.slug for app in b.apps] == ["ide-b"]
    assert a.apps[0].healthcheck is not None
    assert a.env == {"WHERE": "https://other.example.com"}
    assert a.display_apps == ("port_forwarding_helper", "ssh_helper", "web_terminal")
    assert a.memory_monitor is not None
    assert a.memory_monitor.threshold == 80
    assert sorted((v.path, v.enabled) for v in a.volume_monitors) == [
        ("/home", True),
        ("/srv", False),
    ]
    assert [d.workspace_folder for d in a.devcontainers] == ["/src"]
    assert UUID(a.devcontainers[0].subagent_id)
    assert [(s.cron, s.timeout_seconds) for s in b.scripts] == [("0 0 3 * * *", 60)]
    assert [s.run_on_stop for s in a.scripts] == [True]
    assert [(m.value, m.sensitive, m.is_null) for m in made["terraform_data.box"].metadata] == [
        ("ann", True, False),
        ("", False, True),
    ]
    assert [(t.id, t.app_id, t.prompt) for t in built.ai_tasks] == [
        (str(TASK.id), a.apps[0].id, TASK.prompt)
    ]
    assert built.has_external_agent


async def test_a_state_file_tells_what_terraform_shows_of_it(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = """
    module "many" {
      source   = "./many"
      for_each = toset(["a.b", "c\\"d ä"])
    }
    """
    inside = 'resource "terraform_data" "e" {\n  count = 2\n}\n'
    keyed = tar({"main.tf": HEADER + modules, "many/main.tf": inside})
    values: dict[str, Any] = {"secret_env": {"API_TOKEN": "t0"}, "task": TASK}
    for archive in (EVERYTHING, keyed):
        read = await driver.build(archive, **values)
        with monkeypatch.context() as patch:
            patch.setattr(installed, "stored_instances", no_format)
            shown = await driver.build(archive, "start", read.state, **values)
        assert (read.error, shown.error) == (None, None)
        assert without_tokens(read) == without_tokens(shown)
        assert len(read.resources) >= 2


def no_format(_state: object) -> None:
    """Know no format of state files."""


def without_tokens(built: Built) -> dict[str, Resource]:
    return {
        resource.address: replace(
            resource, agents=tuple(replace(agent, token="") for agent in resource.agents)
        )
        for resource in built.resources
    }


async def test_values_reach_the_template(driver: Driver) -> None:
    built = await build(driver)
    held = json.loads(built.state or b"")["resources"]
    (box,) = [r for r in held if r["type"] == "terraform_data"]
    output = box["instances"][0]["attributes"]["output"]["value"]
    assert {name: output[name] for name in output if name != "agent"} == {
        "sizes": ["s", "m"],
        "secret": "t0",
        "auth": "gh",
        "prompt": TASK.prompt,
        "owner": "ann",
        "ready": 1,
    }


async def test_a_second_build_changes_nothing_but_tokens(driver: Driver) -> None:
    first = await build(driver)
    second = await build(driver, first.state)
    assert second.error is None
    assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed." in driver.console.text
    before, after = (
        by_name(built.resources)["terraform_data.box"].agents[0] for built in (first, second)
    )
    assert before.id == after.id
    assert before.token != after.token


async def test_a_missing_secret_blocks_the_start_and_not_the_end(driver: Driver) -> None:
    first = await build(driver)
    refused = await driver.build(EVERYTHING, "start", first.state, task=TASK)
    assert refused.error is not None
    assert 'Missing required secret: environment variable "API_TOKEN"' in refused.error.message
    assert "Ask Ann." in refused.error.message
    assert (await driver.build(EVERYTHING, "stop", first.state, task=TASK)).error is None
    assert (await driver.build(EVERYTHING, "delete", first.state)).error is None


async def test_counted_agents_have_one_name_and_are_refused(driver: Driver) -> None:
    archive = template(
        'resource "coder_agent" "main" {\n count = 2\n os = "linux"\n arch = "amd64"\n}\n'
        'resource "terraform_data" "box" {\n input = coder_agent.main[0].id\n}\n'
    )
    found = await driver.learn(archive)
    assert found.error is not None
    assert found.error.message == (
        'main.tf:7, in resource "coder_agent" "main": duplicate agent name: main\n'
        '  7: resource "coder_agent" "main" {'
    )
