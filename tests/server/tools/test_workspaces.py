"""Templates and workspaces: with real rows, a real queue and a scripted terraform."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from coder_cli.kit.names import check_name
from server.kit.errors import Unavailable
from server.terraform import Built, Failure, Parameter
from server.tools import Patience, workspace_context
from server.tools.sentences import LOST, NEVER_CONNECTED, NO_WORKSPACE
from server.tools.workspaces.names import generated, workspace_name
from tests.server.tools.scene import CALM, QUICK, UNREACHABLE, ListPort, Scene
from tests.server.tools.test_context import skill, write
from tests.server.workspaces.world import SYSTEM, with_agent


async def test_create_and_work(scene: Scene) -> None:
    turn = await scene.turn()
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        told = await turn.done("create_workspace", template_id=str(scene.world.template.id))
    assert told["created"] is True
    assert re.fullmatch(r"plain-[a-z0-9]{4}", told["workspace_name"])
    assert set(told) == {"created", "workspace_name", "build_id"}, "all is well"
    early, late = turn.port.bound
    assert (str(early.build_id), early.agent_id) == (told["build_id"], None)
    assert late.workspace_id == early.workspace_id
    assert late.agent_id is not None
    done = await turn.done("execute", command="echo hi")
    assert done["output"] == "hi\n"
    owner = await scene.world.value(
        "SELECT owner_id FROM workspaces WHERE id = %(id)s", id=late.workspace_id
    )
    assert owner == scene.world.ann.id


async def test_create_twice_says_what_is_there(scene: Scene) -> None:
    turn = await scene.turn()
    scene.world.terraform.script(builds=[with_agent()])
    wanted = {"template_id": str(scene.world.template.id), "name": "mine"}
    async with scene.building():
        one, two = await asyncio.gather(
            turn.done("create_workspace", **wanted), turn.done("create_workspace", **wanted)
        )
    assert [each["created"] for each in (one, two)] == [True, False]
    assert two["status"] == "already_exists"
    assert two["workspace_name"] == one["workspace_name"] == "mine"
    assert await scene.world.value("SELECT count(*) FROM workspaces") == 1


async def test_create_beside_a_stopped_one_says_start_it(scene: Scene) -> None:
    workspace = await scene.workspace()
    await scene.world.build({"id": str(workspace)}, "stop")
    await scene.world.work()
    turn = await scene.turn(workspace_id=workspace)
    told = await turn.done("create_workspace", template_id=str(scene.world.template.id))
    assert (told["created"], told["status"]) == (False, "stopped")
    assert "start_workspace" in told["message"]


async def test_create_after_a_deleted_one_makes_another(scene: Scene) -> None:
    workspace = await scene.workspace()
    await scene.world.build({"id": str(workspace)}, "delete")
    await scene.world.work()
    turn = await scene.turn(workspace_id=workspace)
    assert "create_workspace" in await turn.refused("start_workspace")
    assert "create_workspace" in await turn.refused("execute", command="true")
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        told = await turn.done("create_workspace", template_id=str(scene.world.template.id))
    assert told["created"] is True
    assert turn.link.workspace_id != workspace


async def test_a_failed_build_tells_the_end_of_its_log(scene: Scene) -> None:
    turn = await scene.turn()
    scene.world.terraform.script(builds=[Built(error=Failure("no such image: \x1b[31mx"))])
    async with scene.building():
        told = await turn.refused("create_workspace", template_id=str(scene.world.template.id))
    assert "creating the workspace failed: no such image" in told["error"]
    assert "Apply complete!" in told["build_log_tail"]
    assert told["build_id"] == str(turn.port.bound[0].build_id)
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        told = await turn.done("start_workspace")
    assert told["started"] is True


async def test_parameters_are_checked_and_texts(scene: Scene) -> None:
    made = await scene.world.add_template(
        "asks", Parameter("size", required=True, mutable=True), Parameter("n", default_value="1")
    )
    turn = await scene.turn()
    words = await turn.refused("create_workspace", template_id=str(made.id))
    assert "size" in words
    assert turn.port.bound == []
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        await turn.done(
            "create_workspace", template_id=str(made.id), parameters={"size": 3, "n": "2"}
        )
    values = await scene.world.value(
        "SELECT json_object_agg(name, value) FROM workspace_build_parameters"
    )
    assert values == {"size": "3", "n": "2"}


async def test_what_create_refuses(scene: Scene) -> None:
    turn = await scene.turn()
    assert "not found" in await turn.refused("create_workspace", template_id=str(uuid4()))
    assert "template_id" in await turn.refused("create_workspace", template_id="plain")
    assert await turn.refused("create_workspace") == "template_id is required"
    template = str(scene.world.template.id)
    limited = await scene.turn(port=ListPort(allowed=frozenset({uuid4()})))
    assert "list of templates" in await limited.refused("create_workspace", template_id=template)
    elsewhere = await scene.turn(organization_id=uuid4())
    assert "another organization" in await elsewhere.refused(
        "create_workspace", template_id=template
    )
    words = await turn.refused("create_workspace", template_id=template, preset_id=str(uuid4()))
    assert "preset" in words
    await scene.world.set_template(scene.world.template, deprecated="Use another one.")
    assert "deprecated" in await turn.refused("create_workspace", template_id=template)
    await scene.world.set_template(scene.world.template, deprecated="", agents_allowed=False)
    assert "no agents" in await turn.refused("create_workspace", template_id=template)
    assert await scene.world.value("SELECT count(*) FROM workspaces") == 0


async def test_edge_case_21_templates_with_external_agents_are_refused(scene: Scene) -> None:
    async with scene.world.database.tx(SYSTEM) as tx:
        await tx.run("UPDATE template_versions SET has_external_agent = true")
    turn = await scene.turn()
    words = await turn.refused("create_workspace", template_id=str(scene.world.template.id))
    assert "external agent" in words
    assert "Choose another template" in words
    assert "attach it" in words
    assert await scene.world.value("SELECT count(*) FROM workspaces") == 0


async def test_edge_case_21_after_the_wait_the_external_text_is_told(scene: Scene) -> None:
    """Seed 002: the wait runs as for all agents, and ends in what the user can do."""
    workspace = await scene.workspace(connected=False)
    await scene.external(workspace)
    scene.line.error = UNREACHABLE
    turn = await scene.turn(workspace_id=workspace, patience=QUICK)
    told = await turn.done("start_workspace")
    assert (told["agent_status"], told["agent_error"]) == ("not_ready", NEVER_CONNECTED)
    long_ago = scene.world.database.clock.now() - timedelta(hours=1)
    await scene.connect(workspace)
    await scene.change_agent(workspace, last_connected_at=long_ago)
    told = await turn.done("start_workspace")
    assert (told["agent_status"], told["agent_error"]) == ("not_ready", LOST)


async def test_an_agent_that_does_not_come_is_told(scene: Scene) -> None:
    workspace = await scene.workspace()
    scene.line.error = UNREACHABLE
    turn = await scene.turn(workspace_id=workspace, patience=QUICK)
    told = await turn.done("start_workspace")
    assert told["agent_status"] == "not_ready"
    assert UNREACHABLE.message in told["agent_error"]
    scene.line.error = Unavailable("The database does not answer; try again.")
    words = await turn.refused("start_workspace")
    assert words == "The database does not answer; try again.", "no dial error: as it is"


async def test_a_template_without_agents(scene: Scene) -> None:
    scene.world.terraform.script(builds=[Built(state=b"{}")])
    made = await scene.world.running()
    turn = await scene.turn(workspace_id=UUID(made["id"]))
    assert (await turn.done("start_workspace"))["agent_status"] == "no_agent"
    assert "defines none" in await turn.refused("execute", command="true")


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("start_error", {"startup_scripts": "startup_scripts_failed"}),
        ("start_timeout", {"startup_scripts": "startup_scripts_timeout"}),
        ("starting", {"startup_scripts": "startup_scripts_unknown"}),
    ],
)
async def test_startup_scripts(scene: Scene, state: str, wanted: dict[str, str]) -> None:
    workspace = await scene.workspace()
    await scene.connect(workspace, state)
    patience = replace(CALM, scripts=0.2) if state == "starting" else CALM
    turn = await scene.turn(workspace_id=workspace, patience=patience)
    told = await turn.done("start_workspace")
    assert told["startup_scripts"] == wanted["startup_scripts"]
    if state != "starting":
        assert told["lifecycle_state"] == state


async def test_start_and_stop(scene: Scene) -> None:
    workspace = await scene.workspace()
    turn = await scene.turn(workspace_id=workspace)
    assert (await turn.done("start_workspace"))["message"] == "the workspace is running already"
    async with scene.building():
        told = await turn.done("stop_workspace")
        assert told["stopped"] is True
        assert "stopped already" in (await turn.done("stop_workspace"))["message"]
        scene.world.terraform.script(builds=[with_agent()])
        told = await turn.done("start_workspace")
    assert set(told) == {"started", "workspace_name", "build_id"}
    assert (await turn.done("execute", command="echo hi"))["output"] == "hi\n"
    builds = await scene.world.value("SELECT count(*) FROM workspace_builds")
    assert builds == 3


async def test_a_workspace_that_is_made_tells_how_to_work_in_it(scene: Scene) -> None:
    """The prompt of this turn was made before: it has none of that."""
    turn = await scene.turn()
    write(scene.home / "AGENTS.md", "Run the tests.")
    skill(scene.home / "skills", "deploy")
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        told = await turn.done("create_workspace", template_id=str(scene.world.template.id))
    path = f"{scene.home}/AGENTS.md"
    assert told["instructions"] == [{"path": path, "content": "Run the tests."}]
    assert told["skills"] == [{"name": "deploy", "description": "Does deploy"}]
    later = await scene.turn(workspace_id=turn.link.workspace_id, agent_id=turn.link.agent_id)
    assert await workspace_context(scene.means, later.link) is not None
    assert later.link.looks == 0, "it is known"


async def test_start_waits_for_a_build_that_is_under_way(scene: Scene) -> None:
    workspace = await scene.workspace()
    await scene.world.build({"id": str(workspace)}, "stop")
    turn = await scene.turn(workspace_id=workspace)
    scene.world.terraform.script(builds=[Built(state=b"{}"), with_agent()])
    async with scene.building():
        told = await turn.done("start_workspace")
    assert told["started"] is True
    assert await scene.world.value("SELECT count(*) FROM workspace_builds") == 3


async def test_a_build_that_does_not_end_goes_on(scene: Scene) -> None:
    workspace = await scene.workspace()
    await scene.world.build({"id": str(workspace)}, "stop")
    turn = await scene.turn(workspace_id=workspace, patience=Patience(build=0.1, pause=0.02))
    words = await turn.refused("start_workspace")
    assert "has not ended within 0.1s" in words


async def test_a_dormant_workspace_is_not_started(scene: Scene) -> None:
    workspace = await scene.workspace()
    async with scene.world.database.tx(SYSTEM) as tx:
        await tx.run("UPDATE workspaces SET dormant_at = %(now)s", {"now": tx.now})
    turn = await scene.turn(workspace_id=workspace)
    assert "dormant" in await turn.refused("start_workspace")
    assert "dormant" in await turn.refused("execute", command="true")


async def test_a_name_that_is_taken_becomes_another(scene: Scene) -> None:
    await scene.workspace("dev")
    turn = await scene.turn()
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        told = await turn.done(
            "create_workspace", template_id=str(scene.world.template.id), name="dev"
        )
    assert re.fullmatch(r"dev-[a-z0-9]{4}", told["workspace_name"])


async def test_ttl_of_chats_is_the_workspaces(scene: Scene) -> None:
    turn = await scene.turn(port=ListPort(ttl=7_200_000))
    scene.world.terraform.script(builds=[with_agent()])
    async with scene.building():
        await turn.done("create_workspace", template_id=str(scene.world.template.id))
    assert await scene.world.value("SELECT ttl_ms FROM workspaces") == 7_200_000


async def test_templates_are_listed_best_first(scene: Scene) -> None:
    used = await scene.world.add_template("zebra", description="For Python")
    await scene.world.add_template("python", description="With tests")
    hidden = await scene.world.add_template("old")
    await scene.world.set_template(hidden, deprecated="gone")
    await scene.world.set_template(await scene.world.add_template("no"), agents_allowed=False)
    scene.world.terraform.script(builds=[with_agent()])
    await scene.world.running(template_id=str(used.id))
    turn = await scene.turn()
    told = await turn.done("list_templates")
    assert [each["name"] for each in told["templates"]] == ["zebra", "plain", "python"]
    assert told["recommended_template_id"] == str(used.id)
    first = told["templates"][0]
    assert (first["your_workspace_count"], first["active_developers"]) == (1, 1)
    assert first["last_used_by_you"] is not None
    assert told["page"] == 1
    assert "next_page" not in told
    assert "create_workspace" in told["next_step"]

    named = await turn.done("list_templates", query="Python")
    assert [each["name"] for each in named["templates"]] == ["python", "zebra"]
    nothing = await turn.done("list_templates", query="cobol")
    assert nothing["templates"] == []
    assert "without it" in nothing["next_step"]
    some = await scene.turn(port=ListPort(allowed=frozenset({used.id})))
    assert [each["name"] for each in (await some.done("list_templates"))["templates"]] == ["zebra"]


async def test_templates_come_by_ten(scene: Scene) -> None:
    for number in range(11):
        await scene.world.add_template(f"t{number:02}")
    turn = await scene.turn()
    first = await turn.done("list_templates")
    assert (len(first["templates"]), first["next_page"]) == (10, 2)
    second = await turn.done("list_templates", page=2)
    assert len(second["templates"]) == 2
    assert "next_page" not in second


async def test_a_template_is_read(scene: Scene) -> None:
    parameter = Parameter("size", required=True, description="How large")
    made = await scene.world.add_template("asks", parameter)
    async with scene.world.database.tx(SYSTEM) as tx:
        await tx.run(
            "UPDATE template_versions SET readme = %(readme)s WHERE template_id = %(id)s",
            {"readme": "é" * 9000, "id": made.id},
        )
    turn = await scene.turn()
    told = await turn.done("read_template", template_id=str(made.id))
    assert told["template"]["name"] == "asks"
    assert told["template"]["readme"] == "é" * 8000
    [one] = told["parameters"]
    assert (one["name"], one["type"], one["required"]) == ("size", "string", True)
    assert "presets" not in told
    assert "not found" in await turn.refused("read_template", template_id=str(uuid4()))


async def test_no_workspace_to_stop(scene: Scene) -> None:
    turn = await scene.turn()
    assert await turn.refused("stop_workspace") == NO_WORKSPACE


def test_names_that_are_made() -> None:
    assert workspace_name(" dev ", "t") == "dev"
    for wanted in ("", "new", "Mein Büro!", "x" * 40, "🙂"):
        name = workspace_name(wanted, "a-template-with-a-very-long-name-indeed")
        assert check_name(name) is None, name
    assert re.fullmatch(r"mein-b-ro-[a-z0-9]{4}", workspace_name("Mein Büro!", "t"))
    assert re.fullmatch(r"workspace-[a-z0-9]{4}", generated("🙂"))
