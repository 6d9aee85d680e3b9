"""Ports that a workspace listens on: who may ask, and what becomes of a bad or missing answer."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from server.agents.actions import asking
from server.agents.actions.streams import Dialer
from server.agents.errors import BadAnswer
from server.kit.authz import as_system
from server.network import Unreachable
from tests.server.agents.house import House, Replica, Serve, scripted
from tests.server.agents.rows import AgentRows

LISTENING = {"process_name": "node", "network": "tcp", "port": 3000}


def answering(content: bytes, asked: list[bytes] | None = None) -> Serve:
    """Return a service that says ``content`` to whatever it is asked."""

    async def serve(stream: ClientConnection) -> None:
        got = await stream.recv()
        assert isinstance(got, bytes)
        if asked is not None:
            asked.append(got)
        await stream.send(content)
        await stream.send(b"")

    return serve


def http(body: Any, status: str = "200 OK") -> bytes:
    raw = json.dumps(body).encode()
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status.encode(), len(raw), raw)


async def ports(replica: Replica, agent: AgentRows, token: str) -> tuple[int, Any]:
    path = f"/workspaceagents/{agent.id}/listening-ports"
    answer = await replica.request("GET", path, token)
    return answer.status_code, answer.json()


async def test_the_agents_ports_are_told_but_for_those_of_its_apps(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with house.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            INSERT INTO workspace_apps (id, agent_id, slug, url, created_at)
            VALUES (gen_random_uuid(), %(agent)s, 'editor', 'http://localhost:13337/x', %(now)s)
            """,
            {"agent": agent.id, "now": tx.now},
        )
    asked: list[bytes] = []
    editor = {**LISTENING, "process_name": "code-server", "port": 13337}
    service = answering(http({"ports": [LISTENING, editor]}), asked)
    async with scripted(replica, agent, services={4: service}):
        assert await ports(replica, agent, house.token) == (200, {"ports": [LISTENING]})
    assert asked[0].startswith(b"GET /api/v0/listening-ports HTTP/1.1\r\n")


async def test_an_agent_that_is_away_is_said_to_be(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    status, body = await ports(replica, agent, house.token)
    assert status == 400
    assert body["message"] == ('Agent state is "connecting", it must be in the "connected" state.')


async def test_strangers_learn_nothing(house: House, replica: Replica, agent: AgentRows) -> None:
    _, bob = await house.person("bob")
    assert (await ports(replica, agent, bob))[0] == 404


@pytest.mark.parametrize(
    "content",
    [
        b"SSH-2.0-other\r\n",
        http({"ports": [{"port": "many"}]}),
        http({}, "500 Oops"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnot",
    ],
)
async def test_an_answer_that_is_none_is_a_bad_gateway(
    house: House, replica: Replica, agent: AgentRows, content: bytes
) -> None:
    async with scripted(replica, agent, services={4: answering(content)}):
        status, body = await ports(replica, agent, house.token)
    assert (status, body["message"]) == (
        502,
        "The workspace agent's answer cannot be understood.",
    )


async def test_an_answer_that_never_ends_is_cut(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async def serve(stream: ClientConnection) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n")
        for _ in range(40):
            await stream.send(bytes(256 * 1024))

    async with scripted(replica, agent, services={4: serve}):
        with pytest.raises(BadAnswer):
            await asking.ask(Dialer(replica.board), agent.id, asking.Asked("/"))


async def test_an_agent_that_says_nothing_is_not_waited_for_for_ever(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async def serve(stream: ClientConnection) -> None:
        await stream.wait_closed()

    async with scripted(replica, agent, services={4: serve}):
        with pytest.raises(Unreachable, match=r"did not answer within 0\.2s"):
            await asking.ask(Dialer(replica.board), agent.id, asking.Asked("/", patience=0.2))
