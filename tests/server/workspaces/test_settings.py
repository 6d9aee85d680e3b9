"""What people change about a workspace without building it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from server.kit.routing import provide
from server.terraform import Parameter
from server.workspaces import WorkspaceRules
from tests.server.workspaces.world import World, with_agent


async def put(world: World, workspace: Any, what: str, **body: Any) -> Any:
    """Change something as Ann."""
    return await world.ann.api.put(f"/workspaces/{workspace['id']}/{what}", json=body)


async def now_like(world: World, workspace: Any) -> Any:
    return await world.get(world.ann, f"/workspaces/{workspace['id']}")


async def test_renaming_is_for_deployments_that_allow_it(world: World) -> None:
    made = await world.create()
    await world.create(name="taken")
    path = f"/workspaces/{made['id']}"
    assert made["allow_renames"] is False
    refused = await world.ann.api.patch(path, json={"name": "other"})
    assert refused.status_code == 400
    assert refused.json() == {"message": "Workspace renames are not allowed."}
    assert (await world.ann.api.patch(path, json={"name": "dev"})).status_code == 204
    provide(world.people.app, WorkspaceRules, WorkspaceRules(allow_renames=True))
    assert (await world.ann.api.patch(path, json={"name": "Taken"})).status_code == 409
    assert (await world.ann.api.patch(path, json={"name": "a b"})).status_code == 400
    assert (await world.ann.api.patch(path, json={"name": "other"})).status_code == 204
    renamed = await world.get(world.ann, "/users/me/workspace/OTHER")
    assert (renamed["id"], renamed["allow_renames"]) == (made["id"], True)
    assert (await world.ann.api.get("/users/me/workspace/dev")).status_code == 404


async def test_a_lifetime_is_set_and_cleared(world: World) -> None:
    made = await world.running(ttl_ms=3_600_000)
    assert made["latest_build"]["deadline"] is not None
    assert (await put(world, made, "ttl", ttl_ms=60_000)).status_code == 204
    assert (await now_like(world, made))["ttl_ms"] == 60_000
    bad = await put(world, made, "ttl", ttl_ms=1)
    assert bad.status_code == 400
    assert bad.json()["message"] == "Error updating workspace time until shutdown."
    assert (await put(world, made, "ttl", ttl_ms=None)).status_code == 204
    freed = await now_like(world, made)
    assert (freed["ttl_ms"], freed["latest_build"]["deadline"]) == (None, None)
    await world.set_template(world.template, allow_user_autostop=False)
    strict = await put(world, made, "ttl", ttl_ms=60_000)
    assert strict.status_code == 400
    assert strict.json()["validations"][0]["field"] == "ttl_ms"


async def test_autostart_is_set_and_cleared(world: World) -> None:
    made = await world.create()
    daily = "CRON_TZ=Europe/Dublin 30 9 * * *"
    assert (await put(world, made, "autostart", schedule=daily)).status_code == 204
    changed = await now_like(world, made)
    assert changed["autostart_schedule"] == daily
    assert changed["next_start_at"] is not None
    assert (await put(world, made, "autostart", schedule="0 9 1 * *")).status_code == 400
    assert (await put(world, made, "autostart", schedule=None)).status_code == 204
    cleared = await now_like(world, made)
    assert (cleared["autostart_schedule"], cleared["next_start_at"]) == (None, None)


async def test_a_deadline_is_extended_within_reason(world: World) -> None:
    made = await world.create(ttl_ms=3_600_000)
    later = datetime.now(UTC) + timedelta(hours=3)
    building = await put(world, made, "extend", deadline=later.isoformat())
    assert (building.status_code, building.json()["message"]) == (
        409,
        "Workspace is still building!",
    )
    await world.work()
    soon = datetime.now(UTC) + timedelta(minutes=5)
    assert (await put(world, made, "extend", deadline=soon.isoformat())).status_code == 400
    answer = await put(world, made, "extend", deadline="2099-01-01T10:00:00Z")
    assert answer.json()["message"] == "Deadline updated to 2099-01-01T10:00:00Z."
    assert (await now_like(world, made))["latest_build"]["deadline"] == "2099-01-01T10:00:00Z"
    await put(world, made, "ttl", ttl_ms=0)
    manual = await put(world, made, "extend", deadline=later.isoformat())
    assert (manual.status_code, manual.json()["message"]) == (
        409,
        "Workspace shutdown is manual.",
    )
    await world.build(made, "stop")
    await world.work()
    stopped = await put(world, made, "extend", deadline=later.isoformat())
    assert (stopped.status_code, stopped.json()["message"]) == (
        409,
        "Workspace must be started.",
    )


async def test_a_dormant_workspace_sleeps_until_it_is_woken(world: World) -> None:
    made = await world.running()
    await world.build(made, "stop")
    await world.work()
    asleep = await put(world, made, "dormant", dormant=True)
    assert asleep.status_code == 200
    assert asleep.json()["dormant_at"] is not None
    again = await put(world, made, "dormant", dormant=True)
    assert (again.status_code, again.content) == (304, b"")
    start = await world.ann.api.post(
        f"/workspaces/{made['id']}/builds", json={"transition": "start"}
    )
    assert start.status_code == 409
    assert start.json()["message"] == "The workspace is dormant."
    awake = await put(world, made, "dormant", dormant=False)
    assert awake.json()["dormant_at"] is None
    await world.build(made, "start")


async def test_favorites_are_the_owners_and_come_first(world: World) -> None:
    await world.create(name="a")
    made = await world.create(name="z")
    path = f"/workspaces/{made['id']}/favorite"
    refused = await world.owner.api.put(path)
    assert refused.status_code == 403
    assert (await world.ann.api.put(path)).status_code == 204
    first, _ = (await world.get(world.ann, "/workspaces"))["workspaces"]
    assert (first["name"], first["favorite"]) == ("z", True)
    by_owner = (await world.get(world.owner, "/workspaces"))["workspaces"]
    assert [each["name"] for each in by_owner] == ["a", "z"]
    assert (await world.ann.api.delete(path)).status_code == 204
    assert (await now_like(world, made))["favorite"] is False


async def test_use_puts_the_stop_off(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running(ttl_ms=60_000)
    before = made["latest_build"]["deadline"]
    path = f"/workspaces/{made['id']}/usage"
    half = await world.ann.api.post(path, json={"app_name": "ssh"})
    assert half.status_code == 400
    assert half.json()["validations"][0]["field"] == "agent_id"
    assert (await world.ann.api.post(path)).status_code == 204
    after = await now_like(world, made)
    assert after["latest_build"]["deadline"] > before
    assert after["last_used_at"] > made["last_used_at"]
    agent = made["latest_build"]["resources"][0]["agents"][0]["id"]
    full = {"agent_id": agent, "app_name": "vscode"}
    assert (await world.ann.api.post(path, json=full)).status_code == 204
    strange = await world.ann.api.post(path, json=full | {"agent_id": made["id"]})
    assert strange.status_code == 400
    assert strange.json()["validations"][0]["detail"] == "is no agent of this workspace"


async def test_an_automatic_start_that_would_lack_a_parameter_is_told(world: World) -> None:
    made = await world.running()
    path = f"/workspaces/{made['id']}/resolve-autostart"
    assert await world.get(world.ann, path) == {"parameter_mismatch": False}
    newer = await world.add_version(world.template, Parameter("size", mutable=True, required=True))
    await world.set_template(world.template, active_version_id=newer)
    assert await world.get(world.ann, path) == {"parameter_mismatch": False}
    await put(world, made, "autoupdates", automatic_updates="always")
    assert await world.get(world.ann, path) == {"parameter_mismatch": True}
    assert (await put(world, made, "autoupdates", automatic_updates="maybe")).status_code == 400
