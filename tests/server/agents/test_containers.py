"""Containers of a workspace, mirrored from an agent's API."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows
from tests.server.agents.test_ports import answering, http

DC = str(uuid4())
CONTAINER = {
    "id": "abc",
    "name": "web",
    "image": "alpine",
    "created_at": "2026-03-01T12:00:00Z",
    "labels": {"tier": "db", "team": "blue"},
    "running": True,
    "ports": [{"port": 80, "network": "tcp", "host_ip": "", "host_port": 8080}],
    "status": "running",
    "volumes": {},
}
TOLD = {
    "devcontainers": [
        {"id": DC, "name": "web", "workspace_folder": "/work/web", "status": "stopped"}
    ],
    "containers": [CONTAINER, {**CONTAINER, "id": "def", "labels": {}}],
    "warnings": ["one"],
}


def path(agent: AgentRows, more: str = "") -> str:
    return f"/workspaceagents/{agent.id}/containers{more}"


async def test_what_the_agent_tells_is_told(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    asked: list[bytes] = []
    async with scripted(replica, agent, services={4: answering(http(TOLD), asked)}):
        answer = await replica.request("GET", path(agent), house.token)
        assert answer.status_code == 200
        assert answer.json()["devcontainers"][0]["status"] == "stopped"
        assert answer.json()["devcontainers"][0]["container"] is None
        assert answer.json()["containers"][0] == CONTAINER
        assert answer.json()["warnings"] == ["one"]
        blue = await replica.request("GET", path(agent, "?label=team=blue"), house.token)
        assert [each["id"] for each in blue.json()["containers"]] == ["abc"]
        bad = await replica.request("GET", path(agent, "?label=team"), house.token)
        assert bad.status_code == 400
    assert b"GET /api/v0/containers HTTP/1.1" in asked[0]


async def test_recreate_and_delete_are_passed_on(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    asked: list[bytes] = []
    said = {"message": "Devcontainer recreation initiated", "detail": "d"}
    service = answering(http(said, "202 Accepted"), asked)
    async with scripted(replica, agent, services={4: service}):
        target = path(agent, f"/devcontainers/{DC}")
        made = await replica.request("POST", f"{target}/recreate", house.token)
        assert made.status_code == 202
        assert made.json()["message"] == "Devcontainer recreation initiated"
        gone = await replica.request("DELETE", target, house.token)
        assert gone.status_code == 204
    assert f"POST /api/v0/containers/devcontainers/{DC}/recreate".encode() in asked[0]
    assert f"DELETE /api/v0/containers/devcontainers/{DC} ".encode() in asked[1]


@pytest.mark.parametrize(
    ("status", "code"), [("403 Forbidden", 403), ("404 Not Found", 404), ("409 Conflict", 409)]
)
async def test_refusals_of_the_agent_keep_their_words(
    house: House, replica: Replica, agent: AgentRows, status: str, code: int
) -> None:
    said = {"message": "Dev Container feature not enabled.", "detail": "set it"}
    async with scripted(replica, agent, services={4: answering(http(said, status))}):
        target = path(agent, f"/devcontainers/{DC}/recreate")
        answer = await replica.request("POST", target, house.token)
    assert answer.status_code == code
    assert answer.json() == said


@pytest.mark.parametrize("content", [[], {"containers": [{"id": 1}]}, {"devcontainers": 7}])
async def test_an_answer_that_is_none_is_a_bad_gateway(
    house: House, replica: Replica, agent: AgentRows, content: Any
) -> None:
    async with scripted(replica, agent, services={4: answering(http(content))}):
        answer = await replica.request("GET", path(agent), house.token)
    assert answer.status_code == 502


async def test_an_agent_that_is_away_is_said_to_be(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    answer = await replica.request("GET", path(agent), house.token)
    assert answer.status_code == 400
    assert "must be in the" in answer.json()["message"]


async def test_strangers_learn_nothing_and_change_nothing(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    _, eve = await house.person("eve")
    async with scripted(replica, agent, services={4: answering(http(TOLD))}):
        assert (await replica.request("GET", path(agent), eve)).status_code == 404
        target = path(agent, f"/devcontainers/{DC}")
        assert (await replica.request("DELETE", target, eve)).status_code == 404
        assert (await replica.request("POST", f"{target}/recreate", eve)).status_code == 404


async def test_watching_tells_each_change_once(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    later = {**TOLD, "warnings": []}
    answers = [TOLD, TOLD, later]
    hold = asyncio.Event()

    async def serve(stream: Any) -> None:
        if not answers:
            await hold.wait()
        await answering(http(answers.pop(0)))(stream)

    async with (
        scripted(replica, agent, services={4: serve}),
        replica.socket(path(agent, "/watch"), house.token) as watching,
    ):
        first, second = json.loads(await watching.recv()), json.loads(await watching.recv())
        assert first["warnings"] == ["one"]
        assert second["warnings"] == []


async def test_watching_an_agent_that_is_away_ends(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with replica.socket(path(agent, "/watch"), house.token) as watching:
        with pytest.raises(ConnectionClosed):
            await watching.recv()
