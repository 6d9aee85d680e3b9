"""A delete works from every state: whatever became of builds, templates, agents or provisioners."""

from typing import Any

import pytest

from server.terraform import Built, Failure
from tests.server.workspaces.world import SYSTEM, World, with_agent
from tests.support.people import Person


async def delete(world: World, made: Any, who: Person | None = None, **body: Any) -> Any:
    """Order a delete, have it run, and return the workspace as it is then."""
    await world.build(made, "delete", who, **body)
    await world.work()
    return await world.get(who or world.ann, f"/workspaces/{made['id']}?include_deleted=true")


async def is_gone(world: World, made: Any) -> bool:
    """Tell whether a workspace is no more, and its name is free."""
    answer = await world.ann.api.get(f"/workspaces/{made['id']}")
    await world.create(name=made["name"])
    return answer.status_code == 410


@pytest.mark.parametrize(
    "built",
    [
        Built(error=Failure("no room")),
        Built(state=b"half", error=Failure("apply failed half way")),
        with_agent(b"whole"),
    ],
    ids=["nothing made", "half made", "made"],
)
async def test_whatever_the_create_left_is_deleted(world: World, built: Built) -> None:
    world.terraform.script(builds=[built, Built(state=b"")])
    made = await world.running()
    after = await delete(world, made)
    assert after["latest_build"]["status"] == "deleted"
    assert await is_gone(world, made)


async def test_a_cancelled_create_is_deleted(world: World) -> None:
    made = await world.create()
    await world.ann.api.patch(f"/workspacebuilds/{made['latest_build']['id']}/cancel")
    assert (await delete(world, made))["latest_build"]["status"] == "deleted"


async def test_a_delete_that_failed_is_tried_again(world: World) -> None:
    failed = Built(state=b"rest", error=Failure("the cloud is away"))
    world.terraform.script(builds=[with_agent(b"whole"), failed, Built(state=b"")])
    made = await world.running()
    assert (await delete(world, made))["latest_build"]["status"] == "failed"
    assert (await delete(world, made))["latest_build"]["status"] == "deleted"


async def test_a_deprecated_template_and_an_archived_version_delete_what_they_made(
    world: World,
) -> None:
    made = await world.running()
    await world.set_template(world.template, deprecated="use the other one")
    await world.value("UPDATE template_versions SET archived = true RETURNING 1")
    assert (await delete(world, made))["latest_build"]["status"] == "deleted"


async def test_a_dormant_workspace_is_deleted(world: World) -> None:
    made = await world.running()
    await world.ann.api.put(f"/workspaces/{made['id']}/dormant", json={"dormant": True})
    assert (await delete(world, made))["latest_build"]["status"] == "deleted"


async def test_what_was_never_built_needs_no_provisioner_to_be_deleted(world: World) -> None:
    """Reference, user voices, V4: nobody takes the job, and nobody ever will."""
    made = await world.create()
    await world.ann.api.patch(f"/workspacebuilds/{made['latest_build']['id']}/cancel")
    deleted = await world.build(made, "delete")
    assert (deleted["status"], deleted["job"]["status"]) == ("deleted", "succeeded")
    assert await is_gone(world, made)


async def test_what_was_built_waits_for_a_provisioner_unless_it_is_orphaned(world: World) -> None:
    world.terraform.script(builds=[with_agent(b"whole")])
    made = await world.running()
    waiting = await world.build(made, "delete")
    assert waiting["status"] == "pending"
    assert waiting["matched_provisioners"]["available"] == 0
    await world.ann.api.patch(f"/workspacebuilds/{waiting['id']}/cancel")
    refused = await world.ann.api.post(
        f"/workspaces/{made['id']}/builds", json={"transition": "delete", "orphan": True}
    )
    assert refused.status_code == 403
    orphaned = await world.build(made, "delete", world.owner, orphan=True)
    assert orphaned["status"] == "deleted"
    assert await is_gone(world, made)


async def test_where_somebody_could_take_it_nothing_is_cut_short(world: World) -> None:
    await world.daemons().register()
    made = await world.create()
    await world.ann.api.patch(f"/workspacebuilds/{made['latest_build']['id']}/cancel")
    assert (await world.build(made, "delete"))["status"] == "pending"


async def test_a_waiting_build_says_who_could_take_it_until_somebody_does(world: World) -> None:
    made = await world.create()
    path = f"/workspacebuilds/{made['latest_build']['id']}"
    assert (await world.get(world.ann, path))["matched_provisioners"]["count"] == 0
    shown = await world.get(world.ann, f"/workspaces/{made['id']}")
    assert shown["latest_build"]["matched_provisioners"]["available"] == 0
    await world.work()
    assert (await world.get(world.ann, path))["matched_provisioners"] is None


async def test_the_session_token_goes_with_the_record(world: World) -> None:
    async def keys() -> int:
        async with world.database.tx(SYSTEM) as tx:
            counted: int = await tx.value(
                "SELECT count(*) FROM api_keys WHERE token_name LIKE '%%_session_token'"
            )
            return counted

    world.terraform.script(builds=[Built(error=Failure("no room"))])
    made = await world.running()
    before = await keys()
    await world.build(made, "delete")
    assert (before, await keys()) == (1, 0)
