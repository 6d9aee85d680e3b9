"""A workspace's life with the real terraform: what it makes, keeps after a failure, and removes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server import workspaces
from server.kit.crypto import hash_secret
from server.kit.db import Database
from server.terraform import InstalledTerraform, Options
from tests.server.terraform.world import needs_terraform, template
from tests.server.workspaces.world import SYSTEM, World, opened

pytestmark = needs_terraform

BOX = """
    data "coder_workspace" "me" {}
    data "coder_workspace_owner" "me" {}
    resource "coder_agent" "main" {
      os   = "linux"
      arch = "amd64"
      env  = { OWNER = data.coder_workspace_owner.me.name }
    }
    resource "terraform_data" "home" {
      input = data.coder_workspace.me.name
    }
    resource "terraform_data" "box" {
      count      = data.coder_workspace.me.start_count
      depends_on = [terraform_data.home]
      input      = [coder_agent.main.init_script, coder_agent.main.token]
      provisioner "local-exec" {
        command = "test ! -e FLAG"
      }
    }
"""


@pytest.fixture
async def real(
    database: Database, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    """A world whose builds are done by the terraform on this host."""
    async with opened(database, tmp_path) as world:
        cache = tmp_path_factory.getbasetemp() / "terraform"
        world.driver = InstalledTerraform(Options(cache))
        archive = template(BOX.replace("FLAG", str(tmp_path / "broken")))
        world.template = await world.add_template("box", archive=archive)
        yield world


async def state(world: World, build: str) -> dict[str, str]:
    """Return the types of the managed resources in a build's state."""
    answer = await world.owner.api.get(f"/workspacebuilds/{build}/state")
    resources = json.loads(answer.content)["resources"]
    return {each["name"]: each["type"] for each in resources if each["mode"] == "managed"}


async def test_from_nothing_to_an_agent_and_back(real: World) -> None:
    made = await real.running()
    build = made["latest_build"]
    assert build["status"] == "running", build["job"]["error"]
    [box] = [each for each in build["resources"] if each["name"] == "box"]
    [agent] = box["agents"]
    assert agent["environment_variables"] == {"OWNER": "ann"}
    answer = await real.owner.api.get(f"/workspacebuilds/{build['id']}/state")
    [token] = [
        each["instances"][0]["attributes"]["token"]
        for each in json.loads(answer.content)["resources"]
        if each["type"] == "coder_agent"
    ]
    async with real.database.tx(SYSTEM) as tx:
        found = await workspaces.agent_by_token(tx, hash_secret(token))
    assert found is not None
    assert (str(found.agent_id), found.latest) == (agent["id"], True)

    stop = await real.build(made, "stop")
    await real.work()
    assert "box" not in await state(real, stop["id"])
    assert "home" in await state(real, stop["id"])

    delete = await real.build(made, "delete")
    await real.work()
    gone = await real.get(real.ann, f"/workspaces/{made['id']}?include_deleted=true")
    assert gone["latest_build"]["status"] == "deleted"
    assert await state(real, delete["id"]) == {}
    assert not await asyncio.to_thread(lambda: list((real.cache / "jobs").iterdir()))


async def test_a_failed_apply_keeps_what_it_made_and_a_delete_removes_it(real: World) -> None:
    (real.cache / "broken").touch()
    made = await real.running()
    build = made["latest_build"]
    assert build["status"] == "failed"
    assert "local-exec" in build["job"]["error"]
    left = await state(real, build["id"])
    assert left["home"] == "terraform_data"
    delete = await real.build(made, "delete")
    await real.work()
    assert await state(real, delete["id"]) == {}
