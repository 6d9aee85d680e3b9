"""One build at a time: what the next one stands on, who may order it, and how it is stopped."""

import asyncio
import base64
from typing import Any
from uuid import uuid4

from server.terraform import BuildRequest, Built, Timing, Transition
from tests.server.workspaces.world import World, with_agent

ACTIVE = {"message": "A workspace build is already active."}


async def order(world: World, workspace: Any, **body: Any) -> Any:
    """Try to order a build as Ann."""
    return await world.ann.api.post(f"/workspaces/{workspace['id']}/builds", json=body)


async def test_an_active_build_refuses_the_next(world: World) -> None:
    made = await world.create()
    answer = await order(world, made, transition="stop")
    assert (answer.status_code, answer.json()) == (409, ACTIVE)


async def test_an_order_says_whether_anybody_can_take_it(world: World) -> None:
    nobody = await world.create()
    assert nobody["latest_build"]["matched_provisioners"]["available"] == 0
    await world.work()
    await world.daemons().register()
    stop = await world.build(nobody, "stop")
    matched = stop["matched_provisioners"]
    assert (matched["count"], matched["available"]) == (1, 1)


async def test_of_parallel_builds_exactly_one_wins(world: World) -> None:
    made = await world.running()
    answers = await asyncio.gather(*(order(world, made, transition="stop") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert all(answer.json() == ACTIVE for answer in answers if answer.status_code == 409)
    assert await world.value("SELECT max(build_number) FROM workspace_builds") == 2
    assert await world.work() == 1


async def test_a_deleted_workspace_takes_no_builds(world: World) -> None:
    made = await world.running()
    await world.build(made, "delete")
    await world.work()
    assert (await order(world, made, transition="start")).status_code == 410


async def test_the_next_build_uses_the_version_of_the_last_unless_told_otherwise(
    world: World,
) -> None:
    made = await world.running()
    newer = await world.add_version(world.template)
    await world.set_template(world.template, active_version_id=newer)
    assert (await world.get(world.ann, f"/workspaces/{made['id']}"))["outdated"] is True
    stop = await world.build(made, "stop")
    await world.work()
    assert stop["template_version_id"] == str(world.template.version)
    path = f"/workspaces/{made['id']}/autoupdates"
    assert (await world.ann.api.put(path, json={"automatic_updates": "always"})).status_code == 204
    start = await world.build(made, "start")
    assert start["template_version_id"] == str(newer)
    await world.work()
    back = await world.build(made, "start", template_version_id=str(world.template.version))
    assert back["template_version_id"] == str(world.template.version)


async def test_where_the_active_version_is_required_only_managers_use_another(
    world: World,
) -> None:
    made = await world.running()
    newer = await world.add_version(world.template)
    await world.set_template(world.template, active_version_id=newer, require_active_version=True)
    old = str(world.template.version)
    answer = await order(world, made, transition="start", template_version_id=old)
    assert answer.status_code == 403
    started = await world.build(made, "start")
    assert started["template_version_id"] == str(newer)
    await world.work()
    theirs = await world.build(made, "start", world.owner, template_version_id=old)
    assert theirs["template_version_id"] == old


async def test_versions_that_do_not_fit_are_refused(world: World) -> None:
    made = await world.running()
    other = await world.add_template("other")
    answer = await order(world, made, transition="start", template_version_id=str(other.version))
    assert answer.status_code == 400
    assert answer.json()["validations"][0]["detail"] == ("template version doesn't match template")
    answer = await order(world, made, transition="start", template_version_id=str(uuid4()))
    assert answer.status_code == 400
    broken = await world.add_version(world.template, error="bad")
    answer = await order(world, made, transition="start", template_version_id=str(broken))
    assert answer.status_code == 400


REFUSED: tuple[tuple[Any, int], ...] = (
    ({"transition": "sideways"}, 400),
    ({"transition": "stop", "orphan": True}, 400),
    ({"transition": "delete", "orphan": True, "state": "e30="}, 400),
    ({"transition": "start", "state": "no base64!"}, 400),
    ({"transition": "start", "dry_run": True}, 400),
    ({"transition": "start", "reason": "boredom"}, 400),
    ({"transition": "start", "state": "e30="}, 403),
    ({"transition": "start", "log_level": "debug"}, 403),
    ({"transition": "delete", "orphan": True}, 403),
)


async def test_orders_that_make_no_sense_or_are_for_managers(world: World) -> None:
    made = await world.running()
    answers = [await order(world, made, **body) for body, _ in REFUSED]
    assert [answer.status_code for answer in answers] == [status for _, status in REFUSED]
    assert await world.value("SELECT count(*) FROM workspace_builds") == 1


async def test_a_manager_gives_a_build_its_state_and_a_debug_log(world: World) -> None:
    made = await world.running()
    state = base64.b64encode(b"mine").decode()
    await world.build(made, "start", world.owner, state=state, log_level="debug", reason="cli")
    await world.work()
    request = world.terraform.asked[1]
    assert isinstance(request, BuildRequest)
    assert (request.state, request.debug) == (b"mine", True)


async def test_a_pending_build_is_cancelled_at_once_and_carries_the_state_on(
    world: World,
) -> None:
    world.terraform.script(builds=[Built(state=b"first")])
    made = await world.running()
    stop = await world.build(made, "stop")
    path = f"/workspacebuilds/{stop['id']}"
    early = await world.ann.api.patch(f"{path}/cancel?expect_status=running")
    assert early.status_code == 412
    answer = await world.ann.api.patch(f"{path}/cancel?expect_status=pending")
    assert answer.json()["message"] == "Job has been marked as canceled..."
    assert (await world.get(world.ann, path))["status"] == "canceled"
    assert (await world.owner.api.get(f"{path}/state")).content == b"first"
    assert (await world.ann.api.patch(f"{path}/cancel")).status_code == 412
    await world.build(made, "stop")
    await world.work()
    request = world.terraform.asked[1]
    assert isinstance(request, BuildRequest)
    assert (request.transition, request.state) == (Transition.STOP, b"first")


async def test_a_running_build_is_interrupted_and_its_state_kept(world: World) -> None:
    made = await world.create()
    world.terraform.gate.clear()
    build = made["latest_build"]["id"]
    working = asyncio.ensure_future(world.work())
    with world.pubsub.bell(f"workspace:{made['id']}") as bell:
        while not world.terraform.asked:
            await bell.wait(0.1)
    assert (await world.get(world.ann, f"/workspacebuilds/{build}"))["status"] == "starting"
    early = await world.ann.api.patch(f"/workspacebuilds/{build}/cancel?expect_status=pending")
    assert early.status_code == 412
    assert early.json()["message"] == (
        'Job is not in the expected state. Expected: "pending", actual: "running".'
    )
    assert (await world.ann.api.patch(f"/workspacebuilds/{build}/cancel")).status_code == 200
    await working
    assert (await world.get(world.ann, f"/workspacebuilds/{build}"))["status"] == "canceled"
    assert (await world.ann.api.patch(f"/workspacebuilds/{build}/cancel")).status_code == 412


async def test_a_template_can_keep_people_from_cancelling(world: World) -> None:
    await world.set_template(world.template, allow_user_cancel_workspace_jobs=False)
    made = await world.create()
    path = f"/workspacebuilds/{made['latest_build']['id']}/cancel"
    assert (await world.ann.api.patch(path)).status_code == 403
    assert (await world.owner.api.patch(path)).status_code == 200


async def test_state_is_for_template_managers(world: World) -> None:
    made = await world.running()
    path = f"/workspacebuilds/{made['latest_build']['id']}/state"
    assert (await world.ann.api.get(path)).status_code == 403
    body = {"state": base64.b64encode(b"repaired").decode()}
    assert (await world.ann.api.put(path, json=body)).status_code == 403
    assert (await world.owner.api.put(path, json=body)).status_code == 204
    assert (await world.owner.api.get(path)).content == b"repaired"
    stop = await world.build(made, "stop")
    busy = await world.owner.api.put(f"/workspacebuilds/{stop['id']}/state", json=body)
    assert busy.status_code == 409


async def test_what_a_build_said_made_and_took(world: World) -> None:
    made_at = world.database.clock.now()
    timing = Timing(made_at, made_at, "apply", "docker", "create", "docker_container.box")
    built = with_agent()
    world.terraform.script(builds=[Built(state=b"s", resources=built.resources, timings=(timing,))])
    made = await world.running()
    build = made["latest_build"]
    path = f"/workspacebuilds/{build['id']}"
    lines = await world.get(world.ann, f"{path}/logs")
    assert "Apply complete!" in [line["output"] for line in lines]
    rest = await world.get(world.ann, f"{path}/logs?after={lines[0]['id']}")
    assert rest == lines[1:]
    assert (await world.ann.api.get(f"{path}/logs?follow")).status_code == 400
    [resource] = await world.get(world.ann, f"{path}/resources")
    assert resource["agents"][0]["name"] == "main"
    await world.value("UPDATE workspace_agents SET first_connected_at = now() RETURNING 1")
    await world.value(
        """
        WITH script AS (
            INSERT INTO workspace_agent_scripts
                   (id, workspace_agent_id, log_source_id, display_name, script, created_at)
            SELECT gen_random_uuid(), id, gen_random_uuid(), 'Startup Script', '', now()
              FROM workspace_agents RETURNING id
        )
        INSERT INTO workspace_agent_script_timings
        SELECT id, now(), now(), 0, 'start', 'ok' FROM script RETURNING 1
        """
    )
    took = await world.get(world.ann, f"{path}/timings")
    assert [each["resource"] for each in took["provisioner_timings"]] == ["docker_container.box"]
    assert [each["display_name"] for each in took["agent_script_timings"]] == ["Startup Script"]
    assert [each["stage"] for each in took["agent_connection_timings"]] == ["connect"]
    assert await world.get(world.ann, f"/workspaces/{made['id']}/timings") == took


async def test_history_is_newest_first_and_paged(world: World) -> None:
    made = await world.running()
    for transition in ("stop", "start"):
        await world.build(made, transition)
        await world.work()
    path = f"/workspaces/{made['id']}/builds"
    builds = await world.get(world.ann, path)
    assert [build["build_number"] for build in builds] == [3, 2, 1]
    page = await world.get(world.ann, f"{path}?limit=1&offset=1")
    assert [build["build_number"] for build in page] == [2]
    after = await world.get(world.ann, f"{path}?after_id={builds[1]['id']}")
    assert [build["build_number"] for build in after] == [1]
    since = builds[1]["created_at"]
    answer = await world.ann.api.get(path, params={"since": since})
    assert [build["build_number"] for build in answer.json()] == [3, 2]
    second = await world.get(world.ann, "/users/me/workspace/dev/builds/2")
    assert second == builds[1]
    assert (await world.ann.api.get("/users/me/workspace/dev/builds/9")).status_code == 404
