"""What clients read of agents, and what agents send without a line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Method
from server import identity
from server.agents.store import logs
from server.kit.authz import as_system
from server.workspaces import WorkspaceChanged
from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows, add_build

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ME = as_system("test")
LINE = {"created_at": "2026-05-01T12:00:00Z", "output": "hello", "level": "info"}


async def say(replica: Replica, agent: AgentRows, *outputs: str) -> None:
    lines = [{**LINE, "output": output} for output in outputs]
    body = {"log_source_id": str(agent.source_id), "logs": lines}
    answer = await replica.request("PATCH", "/workspaceagents/me/logs", agent.token, json=body)
    assert answer.status_code == 200, answer.text


async def announce_build(house: House, agent: AgentRows) -> None:
    await add_build(house.database, agent)
    async with house.database.tx(ME) as tx:
        await tx.announce(WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=house.alice))


async def suspend(house: House) -> None:
    async with house.database.tx(ME) as tx:
        await tx.run("UPDATE users SET status = 'suspended' WHERE id = %(id)s", {"id": house.alice})
        await tx.announce(identity.AccessChanged(user_id=house.alice))


async def test_an_agent_is_shown_with_its_status(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    path = f"/workspaceagents/{agent.id}"
    body = (await replica.request("GET", path, house.token)).json()
    assert (body["status"], body["lifecycle_state"]) == ("connecting", "created")
    async with scripted(replica, agent) as line:
        await line.call(Method.LIFECYCLE, api.Lifecycle(api.LifecycleState.STARTING, NOW))
        body = (await replica.request("GET", path, house.token)).json()
    assert (body["status"], body["lifecycle_state"]) == ("connected", "starting")
    assert [script["display_name"] for script in body["scripts"]] == ["Startup"]


@pytest.mark.parametrize("what", ["", "/connection", "/logs", "/startup-logs", "/watch-metadata"])
async def test_somebody_elses_agent_looks_like_none(
    house: House, replica: Replica, agent: AgentRows, what: str
) -> None:
    _, bob = await house.person("bob")
    answers = [
        await replica.request("GET", f"/workspaceagents/{agent_id}{what}", bob)
        for agent_id in (agent.id, uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("what", ["/logs", "/startup-logs", "/watch-metadata-ws"])
async def test_somebody_elses_agent_cannot_be_watched(
    house: House, replica: Replica, agent: AgentRows, what: str
) -> None:
    _, bob = await house.person("bob")
    for token, status in ((bob, 404), ("", 401)):
        with pytest.raises(InvalidStatus) as refusal:
            await replica.socket(f"/workspaceagents/{agent.id}{what}", token)
        assert refusal.value.response.status_code == status


async def test_logs_are_read_by_range(house: House, replica: Replica, agent: AgentRows) -> None:
    await say(replica, agent, "one", "two", "three")
    for path in ("logs", "startup-logs"):
        answer = await replica.request("GET", f"/workspaceagents/{agent.id}/{path}", house.token)
        lines = answer.json()
        assert [line["output"] for line in lines] == ["one", "two", "three"]
    assert lines[0]["source_id"] == str(agent.source_id)
    assert set(lines[0]) == {"id", "created_at", "output", "level", "source_id"}
    within = {"after": lines[0]["id"], "before": lines[2]["id"]}
    path = f"/workspaceagents/{agent.id}/logs"
    answer = await replica.request("GET", path, house.token, params=within)
    assert [line["output"] for line in answer.json()] == ["two"]
    answer = await replica.request("GET", path, house.token, params={"after": -1})
    assert answer.status_code == 400


async def test_logs_are_followed_from_where_the_reader_was_until_a_newer_build(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    await say(replica, agent, "one", "two")
    path = f"/workspaceagents/{agent.id}/logs?follow"
    async with asyncio.timeout(10), replica.socket(path, house.token) as socket:
        assert [line["output"] for line in json.loads(await socket.recv())] == ["one", "two"]
        await say(replica, agent, "three")
        [three] = json.loads(await socket.recv())
        async with replica.socket(f"{path}&after={three['id']}", house.token) as later:
            await say(replica, agent, "four")
            for each in (socket, later):
                assert [line["output"] for line in json.loads(await each.recv())] == ["four"]
        await announce_build(house, agent)
        await socket.wait_closed()
        assert socket.close_code == 1000


async def test_a_follower_who_may_no_longer_see_the_agent_hears_nothing_more(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    path = f"/workspaceagents/{agent.id}/logs?follow"
    async with asyncio.timeout(10), replica.socket(path, house.token) as socket:
        await suspend(house)
        await socket.wait_closed()


async def test_metadata_is_watched_over_a_socket(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    path = f"/workspaceagents/{agent.id}/watch-metadata-ws"
    async with asyncio.timeout(10), replica.socket(path, house.token) as socket:
        first = json.loads(await socket.recv())
        assert first["type"] == "data"
        assert first["data"][0]["description"] == {
            "display_name": "CPU",
            "key": "cpu",
            "script": "top",
            "interval": 10,
            "timeout": 1,
        }
        await collect(replica, agent, "42%")
        [cpu] = json.loads(await socket.recv())["data"]
        assert cpu["result"]["value"] == "42%"
        await suspend(house)
        await socket.wait_closed()


async def collect(replica: Replica, agent: AgentRows, value: str) -> None:
    result = api.MetadataResult(NOW, value=value)
    update = api.MetadataUpdate((api.MetadataValue("cpu", result),))
    async with scripted(replica, agent, role="test") as line:
        await line.call(Method.METADATA, update)


async def test_metadata_is_watched_as_server_sent_events(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    url = f"{replica.url}/workspaceagents/{agent.id}/watch-metadata"
    headers = {"Coder-Session-Token": house.token}
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: data"
        data = json.loads((await anext(lines)).removeprefix("data: "))
        assert data[0]["result"]["value"] == ""
        await suspend(house)
        assert [line async for line in lines] == [""]


async def test_lines_over_the_limit_are_refused(replica: Replica, agent: AgentRows) -> None:
    body = {"log_source_id": str(agent.source_id), "logs": [{**LINE, "output": "x" * 1_048_577}]}
    answer = await replica.request("PATCH", "/workspaceagents/me/logs", agent.token, json=body)
    assert answer.status_code == 413
    assert answer.json()["message"] == "Logs limit exceeded"


async def test_a_writer_outside_is_named_once(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    body = {"id": str(uuid4()), "display_name": "Kubernetes", "icon": "/icon/k8s.png"}
    path = "/workspaceagents/me/log-source"
    first = await replica.request("POST", path, agent.token, json=body)
    again = await replica.request("POST", path, agent.token, json={**body, "display_name": "Other"})
    assert (first.status_code, first.json()["display_name"]) == (200, "Kubernetes")
    assert again.json() == first.json()


async def test_writers_cannot_be_named_without_end(
    replica: Replica, agent: AgentRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_SOURCES", 3)  # The template's own script is the first.
    path = "/workspaceagents/me/log-source"
    codes = [
        (
            await replica.request(
                "POST", path, agent.token, json={"id": str(uuid4()), "display_name": "x"}
            )
        ).status_code
        for _ in range(4)
    ]
    assert codes == [200, 200, 404, 404]


async def test_what_an_app_does_is_kept_and_repetitions_are_not(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    path = "/workspaceagents/me/app-status"
    body = {"app_slug": "web", "state": "working", "message": "m" * 300, "uri": "https://x.test"}
    with replica.board.pubsub.mailbox(f"workspace:{agent.workspace_id}") as box:
        for state in ("working", "working", "complete"):
            answer = await replica.request(
                "PATCH", path, agent.token, json={**body, "state": state}
            )
            assert answer.status_code == 200, answer.text
        assert await house.told(box, agent) == 2
    shown = (await replica.request("GET", f"/workspaceagents/{agent.id}", house.token)).json()
    statuses = shown["apps"][0]["statuses"]
    assert sorted(status["state"] for status in statuses) == ["complete", "working"]
    assert len(statuses[0]["message"]) == 160
    unknown = await replica.request("PATCH", path, agent.token, json={**body, "app_slug": "no"})
    assert (unknown.status_code, "no" in unknown.json()["detail"]) == (400, True)
    bad = await replica.request("PATCH", path, agent.token, json={**body, "state": "dancing"})
    assert bad.status_code == 400


async def test_what_an_app_does_is_told_over_the_line_as_well(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    """Seed: UpdateAppStatus is forwarded over the connection that the agent maintains."""
    async with scripted(replica, agent) as line:
        status = api.AppStatus("web", api.AppState.WORKING, "m" * 300, "https://x.test")
        assert await line.call(Method.APP_STATUS, status) == {}
        unknown = await line.call(Method.APP_STATUS, api.AppStatus("no", api.AppState.IDLE))
        assert "No app found with slug 'no'" in unknown.message
        wrong = await line.call(Method.APP_STATUS, app_slug="web", state="dancing")
        assert wrong.message == "AppStatus.state is not a AppStatusState"
    shown = (await replica.request("GET", f"/workspaceagents/{agent.id}", house.token)).json()
    [status] = shown["apps"][0]["statuses"]
    assert (status["state"], len(status["message"])) == ("working", 160)


async def test_the_owners_git_key_goes_to_the_agent_unless_the_template_forbids_it(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    path = "/workspaceagents/me/gitsshkey"
    answer = await replica.request("GET", path, agent.token)
    assert answer.json() == {"public_key": "ssh-ed25519 alice\n", "private_key": "private"}
    limited = await house.agent(name="limited", scope="no_user_data")
    answer = await replica.request("GET", path, limited.token)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("GET", "gitsshkey"),
        ("GET", "reinit"),
        ("PATCH", "logs"),
        ("PATCH", "app-status"),
        ("POST", "log-source"),
    ],
)
async def test_only_agents_of_the_latest_build_may_call(
    house: House, replica: Replica, agent: AgentRows, method: str, what: str
) -> None:
    path = f"/workspaceagents/me/{what}"
    for token in (house.token, str(uuid4())):
        assert (await replica.request(method, path, token)).status_code == 401
    await add_build(house.database, agent)
    answer = await replica.request(method, path, agent.token)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Agent trying to connect from non-latest build."


async def test_agents_of_a_deleted_workspace_are_unknown(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with house.database.tx(ME) as tx:
        await tx.run("UPDATE workspaces SET deleted = true")
    answer = await replica.request("GET", "/workspaceagents/me/gitsshkey", agent.token)
    assert answer.status_code == 401


async def test_an_agent_is_pinged_until_its_build_is_outdated(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    url = f"{replica.url}/workspaceagents/me/reinit"
    headers = {"Coder-Session-Token": agent.token}
    async with (
        asyncio.timeout(10),
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: ping"
        await announce_build(house, agent)
        rest: list[Any] = [line async for line in lines]
        assert set(rest) <= {"data: null", "", "event: ping"}


async def test_a_dormant_workspace_lets_nobody_in(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with house.database.tx(ME) as tx:
        now = {"now": tx.now - timedelta(days=1)}
        await tx.run("UPDATE workspaces SET dormant_at = %(now)s", now)
    async with scripted(replica, agent):
        with pytest.raises(InvalidStatus) as refusal:
            await replica.stream(agent, 22, house.token)
    assert refusal.value.response.status_code == 403
