"""What terraform made is kept whole: agents with their apps, scripts and dev containers."""

from typing import Any
from uuid import uuid4

from server import provisioning
from server.terraform import Agent, App, Devcontainer, Metadata, Resource, Script, Transition
from tests.server.provisioning.conftest import SYSTEM, Queue

CONTAINERS = """
    SELECT d.name, d.workspace_folder, d.config_path, d.inside
      FROM workspace_agent_devcontainers d
      JOIN workspace_agents a ON a.id = d.workspace_agent_id
     WHERE a.id = %(id)s
"""


async def test_dev_containers_are_kept_with_what_belongs_inside(queue: Queue) -> None:
    job = await queue.post()
    inner = App(slug="inner", display_name="Inner", url="http://localhost:1")
    setup = Script(display_name="Setup", script="true", run_on_start=True)
    container = Devcontainer(
        name="dev",
        workspace_folder="/home/coder/src",
        id=str(uuid4()),
        config_path=".devcontainer/a.json",
        subagent_id=str(uuid4()),
        apps=(inner,),
        scripts=(setup,),
        env={"PATH": "/b:/a"},
    )
    agent = Agent(name="main", token=str(uuid4()), devcontainers=(container,))
    resource = Resource(name="ws", type="docker_container", agents=(agent,), daily_cost=3)
    async with queue.db.tx(SYSTEM) as tx:
        [agent_id] = await provisioning.save_resources(tx, job.id, Transition.START, [resource])
        rows = await tx.all(dict[str, Any], CONTAINERS, {"id": agent_id})
    [row] = rows
    assert (row["name"], row["workspace_folder"]) == ("dev", "/home/coder/src")
    assert row["config_path"] == ".devcontainer/a.json"
    assert row["inside"]["env"] == {"PATH": "/b:/a"}
    assert [app["slug"] for app in row["inside"]["apps"]] == ["inner"]
    assert [script["display_name"] for script in row["inside"]["scripts"]] == ["Setup"]


async def test_metadata_and_cost_are_shown_and_null_items_left_out(queue: Queue) -> None:
    job = await queue.post()
    items = (
        Metadata("cpu", "2"),
        Metadata("key", "s", sensitive=True),
        Metadata("no", is_null=True),
    )
    resource = Resource(name="ws", type="x_vm", metadata=items, daily_cost=3, icon="/i", hide=True)
    async with queue.db.tx(SYSTEM) as tx:
        await provisioning.save_resources(tx, job.id, Transition.START, [resource])
        made = (await provisioning.resources(tx, [job.id]))[job.id]
    [shown] = made
    assert [(item.key, item.value, item.sensitive) for item in shown.metadata] == [
        ("cpu", "2", False),
        ("key", "s", True),
    ]
    assert (shown.daily_cost, shown.icon, shown.hide) == (3, "/i", True)
