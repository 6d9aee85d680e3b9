"""Agents inside agents, over a real line: made, listed, deleted, and logged in."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Failure, Method
from coder_cli.sdk.agentapi.subagents import CreateSubAgent, DeleteSubAgent, SubAgentApp
from server.kit.authz import as_system
from server.kit.db import jsonb
from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows, add_agent_to, add_build


def of(rows: AgentRows, body: Any) -> AgentRows:
    """Return who the made sub-agent is."""
    made = body["agent"]
    return AgentRows(id=UUID(made["id"]), token=made["auth_token"], workspace_id=rows.workspace_id)


async def declare(house: House, agent: AgentRows, subagent_id: UUID, inside: Any) -> None:
    async with house.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            INSERT INTO workspace_agent_devcontainers
                   (id, workspace_agent_id, name, workspace_folder, subagent_id, inside, created_at)
            VALUES (%(id)s, %(agent)s, 'web', '/work/web', %(subagent)s, %(inside)s, %(now)s)
            """,
            {
                "id": uuid4(),
                "agent": agent.id,
                "subagent": subagent_id,
                "inside": jsonb(inside),
                "now": tx.now,
            },
        )


async def test_a_sub_agent_logs_in_with_its_own_token_and_knows_its_parent(
    replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as parent:
        made = await parent.call(
            Method.CREATE_SUB_AGENT,
            CreateSubAgent("web", "/workspaces/web", display_apps=("vscode",)),
        )
        child = of(agent, made)
        async with scripted(replica, child) as inner:
            manifest = api.from_json(api.Manifest, await inner.call(Method.MANIFEST))
            assert manifest.parent_id == agent.id
            assert manifest.agent_name == "web"
            assert manifest.owner_username == "alice"
            assert manifest.directory == "/workspaces/web"
            refused = await inner.call(Method.CREATE_SUB_AGENT, CreateSubAgent("deeper"))
            assert isinstance(refused, Failure)
            assert "no sub-agents" in refused.message
        own = api.from_json(api.Manifest, await parent.call(Method.MANIFEST))
        assert own.parent_id is None


async def test_clients_see_a_sub_agent_beside_its_parent(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as parent:
        made = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web"))
    seen = await replica.request("GET", f"/workspaceagents/{made['agent']['id']}", house.token)
    assert seen.status_code == 200
    assert seen.json()["parent_id"] == str(agent.id)
    assert seen.json()["architecture"] == "amd64"


async def test_sub_agents_are_listed_without_tokens_and_deleted_with_all_that_is_theirs(
    replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as parent:
        first = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("one"))
        await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("two"))
        listed = await parent.call(Method.LIST_SUB_AGENTS)
        assert [each["name"] for each in listed["agents"]] == ["one", "two"]
        assert {each["auth_token"] for each in listed["agents"]} == {""}
        child = of(agent, first)
        assert await parent.call(Method.DELETE_SUB_AGENT, DeleteSubAgent(child.id)) == {}
        listed = await parent.call(Method.LIST_SUB_AGENTS)
        assert [each["name"] for each in listed["agents"]] == ["two"]
        again = await parent.call(Method.DELETE_SUB_AGENT, DeleteSubAgent(child.id))
        assert again.message == "subagent does not belong to this parent agent"
    gone = await replica.request("GET", "/workspaceagents/me/gitsshkey", child.token)
    assert gone.status_code == 401


async def test_another_agents_sub_agent_is_not_ours_to_delete(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    other = await house.agent(name="other")
    async with scripted(replica, agent) as one, scripted(replica, other) as two:
        made = await one.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web"))
        refused = await two.call(Method.DELETE_SUB_AGENT, DeleteSubAgent(UUID(made["agent"]["id"])))
        assert isinstance(refused, Failure)
        # An agent that does not exist, either.
        assert isinstance(
            await two.call(Method.DELETE_SUB_AGENT, DeleteSubAgent(other.id)), Failure
        )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "agent name cannot be empty"),
        ("no_underscores", 'agent name "no_underscores" does not match regex'),
        ("-x", "does not match regex"),
        ("x" * 65, "does not match regex"),
        ("main", 'workspace agent name "main" already exists in this workspace build'),
        ("MAIN", "does not match regex"),
    ],
)
async def test_names_have_rules(replica: Replica, agent: AgentRows, name: str, why: str) -> None:
    async with scripted(replica, agent) as parent:
        refused = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent(name))
        assert isinstance(refused, Failure)
        assert why in refused.message


async def test_apps_that_cannot_be_made_are_told_and_the_others_are_made(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    apps = (
        SubAgentApp("code", url="http://localhost:1"),
        SubAgentApp("code"),
        SubAgentApp("Bad Slug"),
        SubAgentApp(""),
        SubAgentApp("shared", share="everybody"),
        SubAgentApp("last", share="public", open_in="tab"),
    )
    async with scripted(replica, agent) as parent:
        made = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web", apps=apps))
    assert [(e["index"], e["field"]) for e in made["app_creation_errors"]] == [
        (1, "slug"),
        (2, "slug"),
        (3, "slug"),
        (4, "share"),
    ]
    assert 'app slug "code" already exists' in made["app_creation_errors"][0]["error"]
    seen = await replica.request("GET", f"/workspaceagents/{made['agent']['id']}", house.token)
    assert sorted(app["slug"] for app in seen.json()["apps"]) == ["code", "last"]


async def test_a_template_assigns_the_id_and_what_is_inside(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    assigned = uuid4()
    inside = {
        "apps": [{"slug": "docs", "url": "http://localhost:2", "sharing_level": "public"}],
        "scripts": [
            {
                "display_name": "Seed",
                "icon": "",
                "log_path": "",
                "script": "echo hi",
                "cron": "",
                "start_blocks_login": False,
                "run_on_start": True,
                "run_on_stop": False,
                "timeout_seconds": 0,
            }
        ],
        "env": {"PATH": "/opt/bin"},
    }
    await declare(house, agent, assigned, inside)
    async with scripted(replica, agent) as parent:
        manifest = api.from_json(api.Manifest, await parent.call(Method.MANIFEST))
        assert manifest.devcontainers[0].subagent_id == assigned
        made = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web", id=assigned))
        assert UUID(made["agent"]["id"]) == assigned
        async with scripted(replica, of(agent, made)) as inner:
            own = api.from_json(api.Manifest, await inner.call(Method.MANIFEST))
        assert own.environment_variables == {"PATH": "/opt/bin"}
        assert [script.script for script in own.scripts] == ["echo hi"]
        assert [app.slug for app in own.apps] == ["docs"]
        # The container was made anew: the agent inside gets a new token under its old id.
        again = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web", id=assigned))
        assert again["agent"]["auth_token"] != made["agent"]["auth_token"]
        foreign = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("x", id=uuid4()))
        assert "assigned it to no dev container" in foreign.message


async def test_an_assigned_id_survives_a_rebuild(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    assigned = uuid4()
    await declare(house, agent, assigned, {})
    async with scripted(replica, agent) as parent:
        await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web", id=assigned))
    job = await add_build(house.database, agent)
    newer = await add_agent_to(house.database, agent, job, str(uuid4()))
    await declare(house, newer, assigned, {})
    async with scripted(replica, newer) as parent:
        made = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web", id=assigned))
        assert UUID(made["agent"]["id"]) == assigned


async def test_an_id_of_another_workspaces_agent_is_not_given_away(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    other = await house.agent(name="other")
    await declare(house, agent, other.id, {})
    async with scripted(replica, agent) as parent:
        refused = await parent.call(Method.CREATE_SUB_AGENT, CreateSubAgent("web", id=other.id))
        assert refused.message == "id: it is another agent's"
    assert (await house.row(other))["name"] == "main"
