"""Tokens of other services for agents: by git URL or by id, and what they get without one."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from server.identity.store import links
from server.kit.authz import as_system
from server.kit.sealing import Sealer
from server.settings import ExternalAuthProvider
from tests.server.agents.house import KEY, House, Replica
from tests.server.agents.rows import AgentRows
from tests.support.git_service import GitService
from tests.support.serving import served

PATH = "/workspaceagents/me/external-auth"


@dataclass
class Desk:
    house: House
    replica: Replica
    service: GitService
    provider: ExternalAuthProvider

    async def ask(self, agent: AgentRows, **query: str) -> tuple[int, dict[str, Any]]:
        answer = await self.replica.request("GET", PATH, agent.token, params=query)
        return answer.status_code, answer.json()

    async def link(self) -> None:
        """Link alice's account."""
        token = self.service.token()["access_token"]
        place = f"external_auth_links/{self.provider.id}/{self.house.alice}"
        async with self.house.database.tx(as_system("test")) as tx:
            sealed = await Sealer([KEY]).seal(tx, token, place)
            tokens = links.Sealed(sealed, None, None, {"scope": "repo"})
            await links.put(tx, self.provider.id, self.house.alice, tokens)


@pytest.fixture(params=["github"])
async def desk(house: House, request: pytest.FixtureRequest) -> AsyncGenerator[Desk]:
    service = GitService()
    async with served(service.app()) as address:
        provider = service.provider(
            address.removesuffix("/api/v2"), type=request.param, id=request.param
        )
        house.services = [provider]
        yield Desk(house, await house.replica(), service, provider)


async def test_an_owner_without_an_account_gets_the_page_to_link_one(
    desk: Desk, agent: AgentRows
) -> None:
    for query in ({"match": "https://git.test/a/b"}, {"id": "github"}):
        status, told = await desk.ask(agent, **query)
        assert status == 200
        assert told["url"] == "http://coder.test/external-auth/github"
        assert told["access_token"] == ""


@pytest.mark.parametrize(
    ("desk", "username", "password"),
    [
        ("github", "gho-1", ""),
        ("gitlab", "oauth2", "gho-1"),
        ("bitbucket-cloud", "x-token-auth", "gho-1"),
    ],
    indirect=["desk"],
)
async def test_git_gets_what_each_service_wants(
    desk: Desk, agent: AgentRows, username: str, password: str
) -> None:
    await desk.link()
    _, told = await desk.ask(agent, match="https://git.test/a/b.git")
    assert (told["username"], told["password"]) == (username, password)
    assert (told["access_token"], told["type"]) == ("gho-1", desk.provider.type)
    assert told["token_extra"] == {"scope": "repo"}


async def test_questions_that_mean_no_service(desk: Desk, agent: AgentRows) -> None:
    status, told = await desk.ask(agent, match="https://elsewhere.test/a")
    assert status == 404
    assert "No matching external auth provider found" in told["message"]
    assert (await desk.ask(agent, id="nowhere"))[0] == 404
    assert (await desk.ask(agent))[0] == 400
    assert (await desk.ask(agent, id="github", match="https://git.test"))[0] == 400


async def test_an_agent_without_its_owners_data_gets_no_token(desk: Desk) -> None:
    await desk.link()
    limited = await desk.house.agent(name="limited", scope="no_user_data")
    assert (await desk.ask(limited, id="github"))[0] == 403


async def test_what_git_works_on_is_told(desk: Desk, agent: AgentRows) -> None:
    git = {"git_branch": "fix", "git_remote_origin": "https://git.test/a/b.git"}
    chat = uuid4()
    where = "https://git.test/a/b.git"
    assert (await desk.ask(agent, match=where, **git, chat_id=str(chat)))[0] == 200
    assert (await desk.ask(agent, match=where, **git))[0] == 200
    for part in ({"git_branch": "fix"}, {"git_remote_origin": "x"}, {}):
        await desk.ask(agent, match=where, **part)
    assert desk.house.branches == [
        (agent.workspace_id, "fix", where, chat),
        (agent.workspace_id, "fix", where, None),
    ]
