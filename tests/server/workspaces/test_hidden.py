"""What somebody may not see looks exactly like what is not there."""

from uuid import uuid4

from tests.server.workspaces.world import World

WORKSPACE_READS = ("", "/builds", "/timings", "/resolve-autostart", "/watch")
BUILD_READS = ("", "/logs", "/parameters", "/resources", "/state", "/timings")


async def test_reads_of_hidden_and_missing_things_have_the_same_bytes(world: World) -> None:
    made = await world.running()
    bob = await world.people.add("bob")
    paths = [
        *((f"/workspaces/{made['id']}{rest}", f"/workspaces/{uuid4()}{rest}") for rest in
          WORKSPACE_READS),
        *((f"/workspacebuilds/{made['latest_build']['id']}{rest}",
           f"/workspacebuilds/{uuid4()}{rest}") for rest in BUILD_READS),
        ("/users/ann/workspace/dev", "/users/ann/workspace/other"),
        ("/users/ann/workspace/dev/builds/1", "/users/nobody/workspace/dev/builds/1"),
    ]  # fmt: skip
    for hidden, missing in paths:
        theirs, nobodys = await bob.api.get(hidden), await bob.api.get(missing)
        assert (theirs.status_code, nobodys.status_code) == (404, 404), hidden
        assert theirs.content == nobodys.content, hidden


async def test_writes_to_hidden_and_missing_things_have_the_same_bytes(world: World) -> None:
    made = await world.running()
    bob = await world.people.add("bob")
    writes = (
        ("POST", "/builds", {"transition": "delete"}),
        ("PATCH", "", {"name": "mine"}),
        ("PUT", "/autostart", {"schedule": ""}),
        ("PUT", "/ttl", {"ttl_ms": 0}),
        ("PUT", "/extend", {"deadline": "2030-01-01T00:00:00Z"}),
        ("PUT", "/dormant", {"dormant": True}),
        ("PUT", "/favorite", None),
        ("DELETE", "/favorite", None),
        ("PUT", "/autoupdates", {"automatic_updates": "always"}),
        ("POST", "/usage", None),
    )
    for method, rest, body in writes:
        theirs = await bob.api.request(method, f"/workspaces/{made['id']}{rest}", json=body)
        nobodys = await bob.api.request(method, f"/workspaces/{uuid4()}{rest}", json=body)
        assert (theirs.status_code, nobodys.status_code) == (404, 404), rest
        assert theirs.content == nobodys.content, rest
    build = f"/workspacebuilds/{made['latest_build']['id']}"
    assert (await bob.api.patch(f"{build}/cancel")).status_code == 404
    assert (await bob.api.put(f"{build}/state", json={"state": ""})).status_code == 404
    assert await world.value("SELECT count(*) FROM workspace_builds") == 1


async def test_who_may_only_look_gets_403_for_writes(world: World) -> None:
    made = await world.running()
    viewer = await world.people.add("tess", "template-admin")
    assert (await world.get(viewer, f"/workspaces/{made['id']}"))["name"] == "dev"
    writes = (
        ("POST", "/builds", {"transition": "stop"}),
        ("PUT", "/ttl", {"ttl_ms": 0}),
        ("PUT", "/dormant", {"dormant": True}),
        ("PUT", "/favorite", None),
        ("POST", "/usage", None),
    )
    for method, rest, body in writes:
        answer = await viewer.api.request(method, f"/workspaces/{made['id']}{rest}", json=body)
        assert answer.status_code == 403, rest


async def test_nobody_without_a_session_gets_anywhere(world: World) -> None:
    made = await world.create()
    nobody = await world.people.client()
    for path in ("/workspaces", f"/workspaces/{made['id']}", "/users/me/workspace/dev"):
        assert (await nobody.get(path)).status_code == 401


async def test_lists_hold_what_each_may_see(world: World) -> None:
    await world.create()
    bob = await world.people.add("bob")
    await world.create(bob, name="bobs")
    elsewhere = await world.people.organization("elsewhere")
    stranger = await world.people.add("sid", organization=elsewhere)
    auditor = await world.people.add("ada", "auditor")
    seen = {
        who.username: [each["name"] for each in (await world.get(who, "/workspaces"))["workspaces"]]
        for who in (world.owner, world.ann, bob, stranger, auditor)
    }
    assert seen == {
        "root": ["dev", "bobs"],
        "ann": ["dev"],
        "bob": ["bobs"],
        "sid": [],
        "ada": [],
    }
