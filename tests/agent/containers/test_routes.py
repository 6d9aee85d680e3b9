"""The routes of containers, asked of a whole agent through a stream; no runtime anywhere."""

import json
import logging
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent.daemon import Devcontainers
from coder_cli.sdk import agentapi as api
from tests.agent.apiclient import ApiClient
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of

CONTAINERS = "/api/v0/containers"


async def ready(plane: ControlPlane) -> ApiClient:
    await plane.until(lambda: "ready" in plane.states)
    return ApiClient(plane)


async def ask(client: ApiClient, method: str, target: str) -> tuple[int, Any]:
    status, content = await client.ask(method, target)
    return status, json.loads(content)


async def test_with_no_container_runtime_every_route_answers_and_nothing_is_logged(
    plane: ControlPlane, start: Start, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "shop" / ".git").mkdir(parents=True)
    (home / "shop" / ".devcontainer.json").write_text("{}")
    env = {"PATH": "/nowhere", "HOME": str(home)}
    with caplog.at_level(logging.DEBUG, "agent.containers"):
        await start(env=env)
        client = await ready(plane)
        await plane.until(lambda: plane.called(api.Method.LIST_SUB_AGENTS))
        body: dict[str, Any] = {"devcontainers": []}
        for _ in range(100):
            status, body = await client.get(CONTAINERS)
            assert status == 200
            if body["devcontainers"]:
                break
        (found,) = body["devcontainers"]
        assert body["containers"] == body["warnings"] == []
        assert (found["name"], found["status"], found["dirty"]) == ("shop", "stopped", False)
        assert found["container"] is found["agent"] is None
        status, gone = await ask(client, "DELETE", f"{CONTAINERS}/devcontainers/{found['id']}")
        assert status == 200
        assert gone["message"] == "Dev Container deleted."
    assert [record.message for record in caplog.records] == []


async def test_recreating_without_a_cli_is_accepted_and_the_error_is_told(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    (home / ".git").mkdir()
    (home / ".devcontainer.json").write_text("{}")
    await start(env={"PATH": "/nowhere", "HOME": str(home)})
    client = await ready(plane)
    body: dict[str, Any] = {"devcontainers": []}
    for _ in range(100):
        _, body = await client.get(CONTAINERS)
        if body["devcontainers"]:
            break
    name = body["devcontainers"][0]["name"]
    target = f"{CONTAINERS}/devcontainers/{body['devcontainers'][0]['id']}/recreate"
    status, said = await ask(client, "POST", target)
    assert status == 202
    assert said == {
        "message": "Devcontainer recreation initiated",
        "detail": f'Recreation process for Dev Container "{name}" has started.',
    }
    for _ in range(100):
        _, body = await client.get(CONTAINERS)
        if body["devcontainers"][0]["status"] == "error":
            break
    assert "npm install -g @devcontainers/cli" in body["devcontainers"][0]["error"]


async def test_an_unknown_dev_container_is_not_found(plane: ControlPlane, start: Start) -> None:
    await start()
    client = await ready(plane)
    for wanted in (uuid4(), "x"):
        target = f"{CONTAINERS}/devcontainers/{wanted}"
        for method, more in (("POST", "/recreate"), ("DELETE", "")):
            status, said = await ask(client, method, target + more)
            assert status == 404
            assert said["message"] == "Devcontainer not found."


async def test_the_feature_that_is_off_says_so(plane: ControlPlane, start: Start) -> None:
    await start(devcontainers=Devcontainers(enabled=False))
    client = await ready(plane)
    for method, path in (
        ("GET", ""),
        ("GET", "/watch"),
        ("POST", f"/devcontainers/{uuid4()}/recreate"),
        ("DELETE", f"/devcontainers/{uuid4()}"),
    ):
        status, said = await ask(client, method, CONTAINERS + path)
        assert status == 403
        assert said["message"] == "Dev Container feature not enabled."
        assert "CODER_AGENT_DEVCONTAINERS_ENABLE=true" in said["detail"]


async def test_a_sub_agent_hosts_no_containers(plane: ControlPlane, start: Start) -> None:
    plane.manifest = manifest_of(parent_id=uuid4())
    await start()
    client = await ready(plane)
    status, said = await client.get(CONTAINERS)
    assert status == 403
    assert said["message"] == "Dev Container feature not supported."


async def test_definitions_of_the_template_are_served_while_scripts_still_run(
    plane: ControlPlane, start: Start
) -> None:
    from tests.agent.control_plane import script_of

    one = api.Devcontainer(uuid4(), "/work/web", name="web", subagent_id=uuid4())
    plane.manifest = manifest_of(devcontainers=(one,), scripts=(script_of("sleep 600"),))
    await start()
    await plane.until(lambda: "starting" in plane.states)
    status, body = await ApiClient(plane).get(CONTAINERS)
    assert status == 200
    assert [each["id"] for each in body["devcontainers"]] == [str(one.id)]
    assert plane.called(api.Method.LIST_SUB_AGENTS) == []
