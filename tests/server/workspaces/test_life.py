"""A workspace's life over HTTP: created, started, stopped, deleted; and what is left after each."""

import asyncio

from server.terraform import BuildRequest, Built, Failure, Transition
from tests.server.workspaces.world import ACCESS_URL, TOKEN, World, with_agent


async def test_create_start_stop_delete(world: World) -> None:
    world.terraform.script(builds=[with_agent(), Built(state=b'{"serial": 3}')])
    made = await world.create(ttl_ms=3_600_000)
    assert made["latest_build"]["status"] == "pending"
    assert made["latest_build"]["build_number"] == 1
    assert (made["owner_name"], made["template_name"]) == ("ann", "plain")

    await world.work()
    running = await world.get(world.ann, f"/workspaces/{made['id']}")
    build = running["latest_build"]
    assert (build["status"], build["job"]["status"]) == ("running", "succeeded")
    assert build["deadline"] is not None
    [resource] = build["resources"]
    [agent] = resource["agents"]
    assert (agent["name"], agent["status"], agent["apps"][0]["slug"]) == (
        "main",
        "connecting",
        "code",
    )

    stop = await world.build(made, "stop")
    assert (stop["build_number"], stop["status"]) == (2, "pending")
    await world.work()
    stopped = await world.get(world.ann, f"/workspaces/{made['id']}")
    assert stopped["latest_build"]["status"] == "stopped"
    assert stopped["latest_build"]["deadline"] is None

    await world.build(made, "delete")
    await world.work()
    gone = await world.ann.api.get(f"/workspaces/{made['id']}")
    assert gone.status_code == 410
    deleted = await world.get(world.ann, f"/workspaces/{made['id']}?include_deleted=true")
    assert deleted["latest_build"]["status"] == "deleted"
    again = await world.create()
    assert again["id"] != made["id"]


async def test_terraform_is_told_who_what_and_where(world: World) -> None:
    made = await world.running()
    await world.build(made, "stop")
    await world.work()
    start, stop = world.terraform.asked
    assert isinstance(start, BuildRequest)
    assert isinstance(stop, BuildRequest)
    assert (start.transition, start.workspace.name) == (Transition.START, "dev")
    assert (start.owner.name, start.owner.email) == ("ann", "ann@example.com")
    assert start.owner.ssh_public_key == "ssh-ed25519 ann\n"
    assert ("member", "") in {(role.name, role.org_id) for role in start.owner.roles}
    assert (start.template.name, start.access_url) == ("plain", ACCESS_URL)
    assert start.agent_scripts == {"linux_amd64": "start ${ACCESS_URL}"}
    assert (start.archive, start.state) == (b"tar", None)
    assert stop.state is not None, "a stop begins where the start ended"
    assert stop.work_dir != start.work_dir


async def test_the_owners_session_token_lives_as_long_as_the_workspace_runs(world: World) -> None:
    made = await world.running()
    [start] = world.terraform.asked
    assert isinstance(start, BuildRequest)
    token = start.owner.session_token
    client = await world.people.client(token)
    assert (await client.get("/users/me")).json()["username"] == "ann"

    await world.build(made, "stop")
    await world.work()
    assert (await client.get("/users/me")).status_code == 401
    stop = world.terraform.asked[1]
    assert isinstance(stop, BuildRequest)
    assert stop.owner.session_token == ""


async def test_a_failed_apply_keeps_its_state_and_the_workspace_can_be_deleted(
    world: World,
) -> None:
    world.terraform.script(
        builds=[Built(state=b"half", error=Failure("no disk")), Built(state=None)]
    )
    made = await world.running()
    assert made["latest_build"]["status"] == "failed"
    assert made["latest_build"]["job"]["error"] == "no disk"
    assert made["latest_build"]["resources"] == []
    build = made["latest_build"]["id"]
    state = await world.owner.api.get(f"/workspacebuilds/{build}/state")
    assert state.content == b"half"

    await world.build(made, "delete")
    await world.work()
    delete = world.terraform.asked[1]
    assert isinstance(delete, BuildRequest)
    assert delete.state == b"half"
    assert (await world.ann.api.get(f"/workspaces/{made['id']}")).status_code == 410


async def test_a_failed_stop_keeps_what_the_start_made(world: World) -> None:
    world.terraform.script(builds=[with_agent(b"full"), Built(error=Failure("no terraform"))])
    made = await world.running()
    await world.build(made, "stop")
    await world.work()
    after = await world.get(world.ann, f"/workspaces/{made['id']}")
    assert after["latest_build"]["status"] == "failed"
    build = after["latest_build"]["id"]
    assert (await world.owner.api.get(f"/workspacebuilds/{build}/state")).content == b"full"


async def test_orphaning_asks_nothing_of_terraform(world: World) -> None:
    made = await world.running()
    refused = await world.ann.api.post(
        f"/workspaces/{made['id']}/builds", json={"transition": "delete", "orphan": True}
    )
    assert refused.status_code == 403
    assert refused.json()["message"] == "Only template managers may orphan a workspace."
    # Not even the template's files are needed any more.
    await world.value("UPDATE files SET data = '' RETURNING 1")
    await world.build(made, "delete", world.owner, orphan=True)
    await world.work()
    assert len(world.terraform.asked) == 1
    assert (await world.ann.api.get(f"/workspaces/{made['id']}")).status_code == 410


async def test_a_delete_works_with_values_that_the_template_refuses_by_now(world: World) -> None:
    made = await world.running()
    await world.value(
        """
        INSERT INTO template_version_parameters (template_version_id, position, name, type,
                                                 mutable, required)
        VALUES (%(version)s, 0, 'size', 'string', true, true) RETURNING 1
        """,
        version=world.template.version,
    )
    refused = await world.ann.api.post(
        f"/workspaces/{made['id']}/builds", json={"transition": "start"}
    )
    assert refused.status_code == 400
    assert refused.json()["validations"][0]["field"] == "size"
    await world.build(made, "delete")
    await world.work()
    assert (await world.ann.api.get(f"/workspaces/{made['id']}")).status_code == 410


async def test_the_agents_token_is_stored_as_its_hash_only(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    await world.running()
    stored = await world.value("SELECT auth_token FROM workspace_agents")
    assert TOKEN.encode() not in bytes(stored)
    assert len(stored) == 32


async def test_what_a_lost_run_left_is_where_the_next_one_begins(world: World) -> None:
    made = await world.create()
    job = made["latest_build"]["job"]["id"]
    work_dir = world.cache / "jobs" / job
    work_dir.mkdir(parents=True)
    world.terraform.left_behind[work_dir] = b"recovered"
    await world.work()
    [start] = world.terraform.asked
    assert isinstance(start, BuildRequest)
    assert start.state == b"recovered"


async def test_a_build_that_a_shutdown_interrupts_goes_on_after_it(world: World) -> None:
    world.terraform.script(builds=[Built(state=b"first")])
    made = await world.running()
    await world.build(made, "stop")
    world.terraform.gate.clear()
    daemons = world.daemons()
    working = asyncio.ensure_future(daemons.turn("host-0"))
    with world.pubsub.bell(f"workspace:{made['id']}") as bell:
        while len(world.terraform.asked) < 2:
            await bell.wait(0.1)
    await daemons.stop(0)
    assert await working
    interrupted = await world.get(world.ann, f"/workspaces/{made['id']}")
    assert interrupted["latest_build"]["status"] == "stopping"
    build = interrupted["latest_build"]["id"]
    assert (await world.owner.api.get(f"/workspacebuilds/{build}/state")).content == b"first"
    world.terraform.gate.set()
    assert await world.work() == 1
    again = world.terraform.asked[2]
    assert isinstance(again, BuildRequest)
    assert (again.transition, again.state) == (Transition.STOP, b"first")
    after = await world.get(world.ann, f"/workspaces/{made['id']}")
    assert after["latest_build"]["status"] == "stopped"
