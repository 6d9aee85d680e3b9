"""The way to a workspace: one look and one connection a turn; honest words where there is none."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from server.tools import Binding, Patience
from server.tools.sentences import LOST, NEVER_CONNECTED, NO_WORKSPACE
from tests.server.tools.scene import GONE, QUICK, UNREACHABLE, Scene
from tests.server.workspaces.world import with_agent


async def test_seed_turn_local_workspace_context(scene: Scene) -> None:
    """One agent look-up and one connection for a whole turn."""
    turn = await scene.working()
    for _ in range(5):
        await turn.done("execute", command="true")
        await turn.done("read_file", path=str(scene.home))
        await turn.done("process_list")
    assert turn.link.looks == 1
    assert len(scene.line.dialled) == 1


async def test_a_turn_that_needs_no_workspace_asks_nobody(scene: Scene) -> None:
    turn = await scene.working()
    await turn.done("list_templates")
    assert (turn.link.looks, scene.line.dialled) == (0, [])


async def test_tools_that_run_together_dial_once_for_each_stream(scene: Scene) -> None:
    turn = await scene.working()
    await asyncio.gather(*(turn.done("execute", command="sleep 0.1") for _ in range(4)))
    assert turn.link.looks == 1
    assert len(scene.line.dialled) <= 4
    await turn.done("execute", command="true")
    assert len(scene.line.dialled) <= 4


async def test_no_workspace(scene: Scene) -> None:
    turn = await scene.turn()
    for name, args in (
        ("execute", {"command": "true"}),
        ("process_list", {}),
        ("read_file", {"path": "/a"}),
        ("write_file", {"path": "/a", "content": ""}),
        ("read_skill", {"name": "a"}),
        ("attach_file", {"path": "/a"}),
        ("start_workspace", {}),
    ):
        assert await turn.refused(name, **args) == NO_WORKSPACE


async def test_the_chat_is_bound_to_the_latest_agent(scene: Scene) -> None:
    workspace = await scene.workspace()
    first = await scene.agent_of(workspace)
    turn = await scene.turn(workspace_id=workspace, agent_id=first)
    await turn.done("execute", command="true")
    assert turn.port.bound == [], "it is bound already"

    scene.world.terraform.script(builds=[])
    await scene.world.build({"id": str(workspace)}, "stop")
    await scene.world.work()
    words = await (await scene.turn(workspace_id=workspace)).refused("execute", command="true")
    assert words.startswith("workspace has no running agent: the workspace is stopped.")
    assert "start_workspace" in words


async def test_a_binding_of_a_build_gone_by_is_switched_and_kept(scene: Scene) -> None:
    workspace = await scene.workspace()
    now = await scene.agent_of(workspace)
    turn = await scene.turn(workspace_id=workspace, agent_id=workspace)
    await turn.done("execute", command="true")
    [binding] = turn.port.bound
    assert isinstance(binding, Binding)
    assert (binding.workspace_id, binding.agent_id) == (workspace, now)
    assert binding.build_id is not None


async def test_a_slow_dial_finds_the_newer_agent(scene: Scene) -> None:
    """What hangs is asked again whether it is still the one; the newer one is bound and dialled."""
    workspace = await scene.workspace()
    old = await scene.agent_of(workspace)
    patience = Patience(attempt=60, pause=0.02, dial=60)
    turn = await scene.turn(workspace_id=workspace, agent_id=old, patience=patience)
    scene.line.hold = asyncio.Event()
    calling = asyncio.ensure_future(turn.done("execute", command="echo hi"))
    await scene.line.called.wait()
    scene.world.terraform.script(builds=[with_agent()])
    await scene.world.build({"id": str(workspace)}, "start")
    await scene.world.work()
    await scene.connect(workspace)
    hold, scene.line.hold = scene.line.hold, None
    hold.set()
    told = await calling
    assert told["output"] == "hi\n"
    new = await scene.agent_of(workspace)
    assert new != old
    assert [binding.agent_id for binding in turn.port.bound] == [new]
    assert scene.line.dialled[-1] == new


async def test_what_fails_is_forgotten(scene: Scene) -> None:
    turn = await scene.working(patience=QUICK)
    scene.line.error = UNREACHABLE
    words = await turn.refused("execute", command="true")
    assert words.startswith("the workspace agent did not answer within 0.3s:")
    assert "restarted from the Coder dashboard" in words
    scene.line.error = None
    turn.link.means = scene.means
    assert (await turn.done("execute", command="echo hi"))["output"] == "hi\n"


async def test_a_line_that_breaks_in_a_turn_is_dialled_again(scene: Scene) -> None:
    turn = await scene.working()
    await turn.done("execute", command="true")
    for stream in scene.line.streams:
        await stream.close()
    assert (await turn.done("execute", command="echo hi"))["output"] == "hi\n"
    assert len(scene.line.dialled) == 2


async def test_edge_case_21_dial_errors_that_are_no_time_out_stay(scene: Scene) -> None:
    turn = await scene.working()
    await scene.external(turn.link.workspace_id or turn.link.facts.id)
    scene.line.error = GONE
    assert await turn.refused("execute", command="true") == GONE.message


async def test_edge_case_21_a_disconnected_external_agent_fails_at_once(scene: Scene) -> None:
    workspace = await scene.workspace()
    await scene.external(workspace)
    long_ago = scene.world.database.clock.now() - timedelta(hours=1)
    await scene.change_agent(workspace, last_connected_at=long_ago)
    turn = await scene.turn(workspace_id=workspace)
    assert await turn.refused("execute", command="true") == LOST
    assert scene.line.dialled == [], "nobody waits for it"


async def test_edge_case_21_one_that_never_came_in_time_fails_at_once(scene: Scene) -> None:
    workspace = await scene.workspace(connected=False)
    await scene.external(workspace)
    long_ago = scene.world.database.clock.now() - timedelta(hours=1)
    await scene.change_agent(workspace, created_at=long_ago)
    turn = await scene.turn(workspace_id=workspace)
    assert await turn.refused("execute", command="true") == NEVER_CONNECTED
    assert scene.line.dialled == []


async def test_edge_case_21_a_connecting_external_agent_is_dialled(scene: Scene) -> None:
    workspace = await scene.workspace(connected=False)
    await scene.external(workspace)
    turn = await scene.turn(workspace_id=workspace)
    assert (await turn.done("execute", command="echo hi"))["output"] == "hi\n"


async def test_seed_002_a_dial_timeout_of_an_external_agent_is_told_so(scene: Scene) -> None:
    workspace = await scene.workspace(connected=False)
    await scene.external(workspace)
    turn = await scene.turn(workspace_id=workspace, patience=QUICK)
    scene.line.error = UNREACHABLE
    assert await turn.refused("execute", command="true") == NEVER_CONNECTED
    assert scene.line.dialled
    scene.line.error, scene.line.hangs = None, True
    assert await turn.refused("execute", command="true") == NEVER_CONNECTED


async def test_seed_002_an_external_workspace_that_works_is_used(scene: Scene) -> None:
    workspace = await scene.workspace()
    await scene.external(workspace)
    turn = await scene.turn(workspace_id=workspace)
    assert (await turn.done("execute", command="echo hi"))["output"] == "hi\n"


async def test_somebody_elses_workspace_is_none(scene: Scene) -> None:
    scene.world.terraform.script(builds=[with_agent()])
    made = await scene.world.running(scene.world.owner)
    turn = await scene.turn(workspace_id=made["id"])
    assert "create_workspace" in await turn.refused("execute", command="true")


async def test_the_agent_that_a_template_means_for_chats(scene: Scene) -> None:
    built = with_agent()
    [resource] = built.resources
    main = resource.agents[0]
    others = tuple(
        replace(main, name=name, token=f"{number}" * 8, apps=())
        for number, name in enumerate(("one-coderd-chat", "two-coderd-chat"))
    )

    async def made(name: str, count: int) -> str:
        agents = (main, *others[:count])
        scene.world.terraform.script(
            builds=[replace(built, resources=(replace(resource, agents=agents),))]
        )
        workspace = (await scene.world.running(name=name))["id"]
        turn = await scene.turn(workspace_id=workspace)
        try:
            return (await turn.link.agent()).name
        except Exception as error:  # noqa: BLE001 — what it says is what is asked.
            return str(error)

    assert await made("none", 0) == "main"
    assert await made("one", 1) == "one-coderd-chat"
    assert "one-coderd-chat, two-coderd-chat" in await made("two", 2)
