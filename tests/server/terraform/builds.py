"""What tests of builds share: a template with a bit of everything, states read, a server."""

import asyncio
import json
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

from server.terraform import Built
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import HEADER, template

TINY = template(
    """
    variable "region" {
      default = "eu"
    }
    data "coder_workspace" "me" {}
    data "coder_parameter" "cpu" {
      name    = "cpu"
      type    = "number"
      default = 2
      mutable = true
      validation {
        min = 1
        max = 8
      }
    }
    data "coder_workspace_preset" "big" {
      name       = "big"
      parameters = { cpu = "8" }
    }
    data "coder_workspace_tags" "tags" {
      tags = { region = var.region, cpu = data.coder_parameter.cpu.value }
    }
    data "coder_external_auth" "git" {
      id       = "github"
      optional = true
    }
    resource "coder_agent" "main" {
      os             = "linux"
      arch           = "amd64"
      startup_script = "echo hi"
      env            = { PATH = "/bin" }
    }
    module "ide" {
      source   = "./ide"
      agent_id = coder_agent.main.id
    }
    resource "coder_env" "b" {
      agent_id       = coder_agent.main.id
      name           = "PATH"
      value          = "/b"
      merge_strategy = "prepend"
    }
    resource "coder_env" "a" {
      agent_id       = coder_agent.main.id
      name           = "PATH"
      value          = "/a"
      merge_strategy = "prepend"
    }
    resource "terraform_data" "home" {}
    resource "terraform_data" "box" {
      count            = data.coder_workspace.me.start_count
      triggers_replace = coder_agent.main.token
      input            = "${terraform_data.home.id} ${coder_agent.main.init_script}"
    }
    resource "coder_metadata" "box" {
      count       = data.coder_workspace.me.start_count
      resource_id = terraform_data.box[0].id
      daily_cost  = 3
      item {
        key   = "cpu"
        value = data.coder_parameter.cpu.value
      }
    }
    """,
    **{
        "README.md": "# Tiny\n",
        "ide/main.tf": HEADER
        + """
        variable "agent_id" {}
        resource "coder_app" "ide" {
          agent_id = var.agent_id
          slug     = "ide"
          url      = "http://localhost:1"
        }
        """,
    },
)


def shell(command: str, name: str = "box") -> str:
    """Return a resource that runs a command when it is made."""
    return f"""
    resource "terraform_data" "{name}" {{
      provisioner "local-exec" {{
        command = <<-EOT
          {command}
        EOT
      }}
    }}
    """


def message(built: Built) -> str:
    assert built.error is not None
    return built.error.message


def objects(state: bytes | None) -> dict[str, Any]:
    """Return the addresses in a state with their first instance."""
    assert state is not None
    held = json.loads(state)["resources"]
    return {f"{o['type']}.{o['name']}": o["instances"][0] for o in held if o["mode"] == "managed"}


_SERVER = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from server.terraform import *
from tests.server.terraform.world import Listener
cache, work, archive = map(Path, sys.argv[1:])
request = BuildRequest(work, archive.read_bytes(), Transition.START, UUID(int=1),
    WorkspaceFacts(UUID(int=2), "dev"), Owner(), TemplateFacts(UUID(int=3), "t", "v"), "http://x")
asyncio.run(InstalledTerraform(Options(cache)).build(request, Listener()))
"""


async def server_that_builds(driver: Driver, archive: bytes, work: Path) -> Process:
    """Start a process that builds a template: one that can be killed."""
    packed = driver.root / "archive"
    packed.write_bytes(archive)
    words = map(str, (driver.options.cache_dir, work, packed))
    root = Path(__file__).parents[3]
    return await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVER, *words, cwd=root)
