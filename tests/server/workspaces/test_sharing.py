"""Letting others in: people by lists of access, and everybody through an open port."""

from typing import Any
from uuid import uuid4

import pytest

from server import workspaces
from server.kit.authz import Action
from tests.server.workspaces.world import World, with_agent
from tests.support.people import Person


async def share(world: World, workspace: Any, who: Person | None = None, **body: Any) -> Any:
    """Try to change whom a workspace is shared with, as Ann."""
    return await (who or world.ann).api.patch(f"/workspaces/{workspace['id']}/acl", json=body)


async def status(who: Person, method: str, path: str, **body: Any) -> int:
    """Return what somebody is answered."""
    return (await who.api.request(method, path, json=body or None)).status_code


async def test_a_shared_workspace_is_seen_used_and_not_changed(world: World) -> None:
    made = await world.running()
    bob = await world.people.add("bob")
    path = f"/workspaces/{made['id']}"
    assert await status(bob, "GET", path) == 404
    assert (await share(world, made, user_roles={str(bob.id): "use"})).status_code == 204
    assert await status(bob, "GET", path) == 200
    assert await status(bob, "GET", "/users/ann/workspace/dev") == 200
    assert await status(bob, "GET", f"/workspacebuilds/{made['latest_build']['id']}/logs") == 200
    assert await status(bob, "PUT", f"{path}/ttl", ttl_ms=7_200_000) == 403
    assert await status(bob, "PATCH", f"{path}/acl", user_roles={}) == 403
    assert await status(bob, "POST", f"{path}/builds", transition="delete") == 403
    assert await status(bob, "POST", f"{path}/builds", transition="stop") == 201
    listed = (await world.get(bob, "/workspaces"))["workspaces"]
    assert [one["name"] for one in listed] == ["dev"]
    assert listed[0]["shared_with"] == [
        {"id": str(bob.id), "name": "bob", "avatar_url": "", "actor_type": "user", "roles": ["use"]}
    ]
    assert [one["name"] for one in await shared_with(world, bob)] == ["dev"]


async def shared_with(world: World, who: Person) -> Any:
    """Return the workspaces that a search for sharing finds."""
    return (await world.get(who, "/workspaces?q=shared_with_user:me"))["workspaces"]


async def test_an_admin_of_a_workspace_changes_it_and_shares_it_but_does_not_delete_it(
    world: World,
) -> None:
    made = await world.running()
    bob, eve = await world.people.add("bob"), await world.people.add("eve")
    path = f"/workspaces/{made['id']}"
    await share(world, made, user_roles={"bob": "admin"})
    assert await status(bob, "PUT", f"{path}/ttl", ttl_ms=7_200_000) == 204
    assert (await share(world, made, bob, user_roles={str(eve.id): "use"})).status_code == 204
    assert await status(bob, "POST", f"{path}/builds", transition="delete") == 403
    own = await share(world, made, bob, user_roles={"bob": ""})
    assert own.json()["validations"][0]["detail"] == (
        "You cannot change your own workspace sharing role."
    )


async def test_everybody_of_the_organization_is_a_group(world: World) -> None:
    made = await world.running()
    bob = await world.people.add("bob")
    elsewhere = await world.people.add("eve", organization=await world.people.organization("far"))
    assert (await share(world, made, group_roles={"Everyone": "use"})).status_code == 204
    assert await status(bob, "GET", f"/workspaces/{made['id']}") == 200
    assert await status(elsewhere, "GET", f"/workspaces/{made['id']}") == 404
    lists = await world.get(world.ann, f"/workspaces/{made['id']}/acl")
    [group] = lists["groups"]
    assert (group["id"], group["role"]) == (str(world.organization), "use")
    assert group["total_member_count"] == 3
    assert lists["users"] == []


async def test_an_empty_role_and_delete_take_rights_away(world: World) -> None:
    made = await world.running()
    bob, eve = await world.people.add("bob"), await world.people.add("eve")
    roles = {str(bob.id): "use", str(eve.id): "use"}
    await share(world, made, user_roles=roles, group_roles={str(world.organization): "admin"})
    await share(world, made, user_roles={str(bob.id): ""})
    lists = await world.get(world.ann, f"/workspaces/{made['id']}/acl")
    assert [user["username"] for user in lists["users"]] == ["eve"]
    assert await status(world.ann, "DELETE", f"/workspaces/{made['id']}/acl") == 204
    lists = await world.get(world.ann, f"/workspaces/{made['id']}/acl")
    assert lists == {"users": [], "groups": []}
    assert await status(eve, "GET", f"/workspaces/{made['id']}") == 404


async def test_somebody_who_left_the_organization_can_be_taken_off_the_list(world: World) -> None:
    made = await world.running()
    bob = await world.people.add("bob")
    await share(world, made, user_roles={"bob": "use"})
    left = await world.owner.api.delete(f"/organizations/{world.organization}/members/bob")
    assert left.status_code == 204
    assert await status(bob, "GET", f"/workspaces/{made['id']}") == 404
    assert (await share(world, made, user_roles={str(bob.id): ""})).status_code == 204


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_roles": {"ghost": "use"}}, "user_roles"),
        ({"user_roles": {str(uuid4()): "use"}}, "user_roles"),
        ({"user_roles": {"ann": "use"}}, "user_roles"),
        ({"user_roles": {"root": "owner"}}, "user_roles.root"),
        ({"group_roles": {str(uuid4()): "use"}}, "group_roles"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_field(
    world: World, body: dict[str, Any], field: str
) -> None:
    made = await world.create()
    answer = await share(world, made, **body)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["validations"]] == [field]


async def test_whoever_is_let_in_reaches_its_agents_until_they_are_not(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    bob = await world.people.add("bob")
    agent = made["latest_build"]["resources"][0]["agents"][0]["id"]

    async def enters() -> bool:
        async with world.database.tx(await world.people.actor(bob)) as tx:
            return await workspaces.agent(tx, agent, Action.SSH) is not None

    assert not await enters()
    await share(world, made, user_roles={"bob": "use"})
    assert await enters()
    await share(world, made, user_roles={"bob": ""})
    assert not await enters()


async def ports(world: World, made: Any) -> Any:
    """Return the open ports of a workspace."""
    return (await world.get(world.ann, f"/workspaces/{made['id']}/port-share"))["shares"]


async def test_a_port_is_opened_changed_and_closed(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    await world.set_template(world.template, max_port_share_level="public")
    path = f"/workspaces/{made['id']}/port-share"
    wanted = {"agent_name": "main", "port": 8080, "share_level": "authenticated"}
    answer = await world.ann.api.post(path, json={**wanted, "protocol": "http"})
    shared = {**wanted, "workspace_id": made["id"], "protocol": "http"}
    assert (answer.status_code, answer.json()) == (200, shared)
    await world.ann.api.post(path, json={**wanted, "share_level": "public", "protocol": "https"})
    assert await ports(world, made) == [{**shared, "share_level": "public", "protocol": "https"}]
    closing = {"agent_name": "main", "port": 8080}
    assert await status(world.ann, "DELETE", path, **closing) == 200
    assert await status(world.ann, "DELETE", path, **closing) == 404
    assert await ports(world, made) == []


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"share_level": "owner"}, 400),
        ({"share_level": "all"}, 400),
        ({"port": 8}, 400),
        ({"port": 65536}, 400),
        ({"agent_name": "other"}, 400),
        ({"protocol": "gopher"}, 400),
        ({"share_level": "public"}, 403),
        ({"share_level": "organization"}, 200),
    ],
)
async def test_which_ports_may_be_opened_to_whom(
    world: World, wanted: dict[str, Any], code: int
) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    await world.set_template(world.template, max_port_share_level="organization")
    body = {"agent_name": "main", "port": 9, "share_level": "authenticated", "protocol": "http"}
    path = f"/workspaces/{made['id']}/port-share"
    assert await status(world.ann, "POST", path, **{**body, **wanted}) == code


async def test_who_only_uses_a_workspace_opens_no_ports(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    await world.set_template(world.template, max_port_share_level="public")
    bob = await world.people.add("bob")
    await share(world, made, user_roles={"bob": "use"})
    path = f"/workspaces/{made['id']}/port-share"
    body = {"agent_name": "main", "port": 9, "share_level": "public"}
    assert await status(bob, "POST", path, **body) == 403
    assert await status(bob, "DELETE", path, agent_name="main", port=9) == 403
    assert await status(bob, "GET", path) == 200
