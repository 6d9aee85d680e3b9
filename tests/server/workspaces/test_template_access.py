"""What a template's list of access means for workspaces that are made from it."""

from typing import Any

import pytest

from server.kit.db import jsonb
from tests.server.workspaces.world import World

SHARE = "UPDATE templates SET user_acl = %(users)s, group_acl = %(groups)s RETURNING 1"


async def share(world: World, users: dict[str, str]) -> None:
    await world.value(SHARE, users=jsonb(users), groups=jsonb({}))


async def order(world: World, workspace: Any, transition: str, **more: Any) -> tuple[int, str]:
    path = f"/workspaces/{workspace['id']}/builds"
    answer = await world.ann.api.post(path, json={"transition": transition, **more})
    return answer.status_code, answer.json().get("message", "")


async def test_only_whom_the_list_names_makes_workspaces(world: World) -> None:
    await share(world, {})
    body = {"name": "dev", "template_id": str(world.template.id)}
    refused = await world.ann.api.post("/users/me/workspaces", json=body)
    assert refused.json()["validations"] == [
        {"field": "template_id", "detail": "template not found"}
    ]
    await share(world, {str(world.ann.id): "use"})
    assert (await world.create())["template_id"] == str(world.template.id)


@pytest.mark.parametrize("transition", ["stop", "delete"])
async def test_whoever_lost_the_template_still_stops_and_deletes(
    world: World, transition: str
) -> None:
    made = await world.running()
    await share(world, {})
    refused = 'Unauthorized access to use the template "'
    status, message = await order(world, made, "start")
    assert (status, message.startswith(refused)) == (403, True)
    assert (await order(world, made, transition))[0] == 201


async def test_an_administrator_by_list_manages_workspaces_as_one(world: World) -> None:
    made = await world.running()
    assert (await order(world, made, "delete", orphan=True))[0] == 403
    await share(world, {str(world.ann.id): "admin"})
    assert (await order(world, made, "delete", orphan=True))[0] == 201
