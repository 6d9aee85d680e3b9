"""Seed 002, external agents: nothing is provisioned; the person starts the agent by hand."""

import json
from dataclasses import replace
from typing import Any

import pytest

from server.kit.routing import provide
from server.terraform import Agent, Built, Resource
from server.workspaces import WorkspaceRules
from server.workspaces.model import agent_tokens
from tests.server.workspaces.world import ACCESS_URL, TOKEN, World

URL = f"{ACCESS_URL}/api/v2/init-script"


def outside(**agent: Any) -> Built:
    """Return a build with an external agent, its token in the state, as Terraform keeps it."""
    made = replace(Agent("outside", token=TOKEN), **agent)
    attributes = [{"token": "00000000-0000-4000-8000-000000000000"}, {"token": TOKEN}]
    state = {
        "version": 4,
        "resources": [
            {"type": "null_resource", "instances": [{"attributes": {"token": "not this"}}]},
            {"type": "coder_agent", "instances": [{"attributes": one} for one in attributes]},
        ],
    }
    resource = Resource("outside", "coder_external_agent", agents=(made,))
    return Built(state=json.dumps(state).encode(), resources=(resource,), has_external_agent=True)


async def credentials(world: World, made: Any, agent: str = "outside") -> Any:
    """Ask as Ann how to start an agent."""
    return await world.ann.api.get(f"/workspaces/{made['id']}/external-agent/{agent}/credentials")


@pytest.mark.parametrize(
    ("system", "architecture", "command"),
    [
        (
            "linux",
            "arm64",
            f'curl -fsSL "{URL}/linux/arm64" | CODER_AGENT_TOKEN="{TOKEN}" sh',
        ),
        (
            "windows",
            "amd64",
            f'$env:CODER_AGENT_TOKEN="{TOKEN}"; iwr -useb "{URL}/windows/amd64" | iex',
        ),
    ],
)
async def test_the_command_that_starts_an_external_agent(
    world: World, system: str, architecture: str, command: str
) -> None:
    provide(world.people.app, WorkspaceRules, WorkspaceRules(access_url=f"{ACCESS_URL}/"))
    agent = {"operating_system": system, "architecture": architecture}
    world.terraform.script(builds=[outside(**agent)])
    made = await world.running()
    assert made["latest_build"]["has_external_agent"] is True
    answer = await credentials(world, made)
    assert answer.status_code == 200
    assert answer.json() == {"command": command, "agent_token": TOKEN}


async def test_other_agents_have_no_command(world: World) -> None:
    world.terraform.script(builds=[outside()])
    made = await world.running()
    answer = await credentials(world, made, "other")
    assert answer.status_code == 404
    assert answer.json()["message"] == "External agent 'other' not found in workspace."


async def test_an_agent_with_an_instances_identity_has_no_token_to_give(world: World) -> None:
    world.terraform.script(builds=[outside(token="", instance_id="i-1")])
    made = await world.running()
    answer = await credentials(world, made)
    assert answer.status_code == 404
    assert answer.json()["message"] == "External agent is authenticated with an instance ID."


async def test_whoever_only_looks_or_uses_gets_no_token(world: World) -> None:
    world.terraform.script(builds=[outside()])
    made = await world.running()
    path = f"/workspaces/{made['id']}/external-agent/outside/credentials"
    looks = await world.people.add("tim", "template-admin")
    bob = await world.people.add("bob")
    lists = {"user_roles": {"bob": "use"}}
    await world.ann.api.patch(f"/workspaces/{made['id']}/acl", json=lists)
    assert (await looks.api.get(path)).status_code == 403
    assert (await bob.api.get(path)).status_code == 403
    assert (await (await world.people.add("eve")).api.get(path)).status_code == 404


@pytest.mark.parametrize(
    "state", [b"", b"no json", b"[]", b'{"resources": [1, {"type": 2}]}', b"[" * 100_000]
)
def test_a_state_that_cannot_be_read_has_no_tokens(state: bytes) -> None:
    assert agent_tokens(state) == []
