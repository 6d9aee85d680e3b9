"""Input that nobody means well with gets a refusal, not a crash."""

from typing import Any

from tests.server.workspaces.world import World


async def test_no_input_makes_the_server_stumble(world: World) -> None:
    made = await world.create()
    path = f"/workspaces/{made['id']}"
    create = {"name": "x", "template_id": str(world.template.id)}
    port = {"agent_name": "main", "port": 8080, "share_level": "public"}
    nul = [{"name": "a\0", "value": "b\0"}]
    attempts: tuple[tuple[str, str, Any], ...] = (
        ("GET", "/workspaces?q=name:%00", None),
        ("GET", "/workspaces?offset=99999999999999999999", None),
        ("GET", "/workspaces?q=param:%00", None),
        ("GET", "/workspaces?q=" + "name:a%20" * 2000, None),
        ("GET", "/users/me/workspace/%00", None),
        ("GET", "/users/%00/workspace/dev", None),
        ("GET", "/users/me/workspace/dev/builds/99999999999999999999", None),
        ("GET", "/workspaces/not-a-uuid", None),
        ("GET", f"{path}/builds?since=yesterday", None),
        ("GET", f"{path}/builds?since=2026-01-01T00:00:00", None),
        ("PUT", f"{path}/ttl", {"ttl_ms": 10**30}),
        ("PUT", f"{path}/ttl", {"ttl_ms": -1}),
        ("PUT", f"{path}/autostart", {"schedule": "CRON_TZ=\0 0 9 * * 1"}),
        ("PUT", f"{path}/autostart", {"schedule": "0 ٣ * * 1"}),
        ("PUT", f"{path}/extend", {"deadline": "9999-12-31T23:59:59-23:59"}),
        ("POST", "/users/me/workspaces", {**create, "rich_parameter_values": nul}),
        ("POST", "/users/me/workspaces", {**create, "autostart_schedule": "\0"}),
        ("POST", f"{path}/builds", {"transition": "start", "rich_parameter_values": nul}),
        ("POST", f"{path}/builds", []),
        ("POST", f"{path}/usage", {"agent_id": "x", "app_name": "ssh"}),
        ("PATCH", f"{path}/acl", {"user_roles": {"\0": "use"}}),
        ("PATCH", f"{path}/acl", {"user_roles": {"": "use"}}),
        ("PATCH", f"{path}/acl", {"user_roles": {"root": ["use"]}}),
        ("PATCH", f"{path}/acl", {"group_roles": {"İ\0": ""}}),
        ("PATCH", f"{path}/acl", {"group_roles": "everyone"}),
        ("POST", f"{path}/port-share", {**port, "agent_name": "\0"}),
        ("POST", f"{path}/port-share", {**port, "port": 10**30}),
        ("POST", f"{path}/port-share", {**port, "port": 1}),
        ("DELETE", f"{path}/port-share", {**port, "agent_name": "\0"}),
        ("GET", f"{path}/external-agent/%00/credentials", None),
    )
    for method, where, body in attempts:
        answer = await world.ann.api.request(method, where, json=body)
        assert 400 <= answer.status_code < 500, where
    early = '/workspaces?q=last_used_after:"0001-01-01T00:00:00%2B23:59"'
    assert (await world.get(world.ann, early))["count"] == 1
