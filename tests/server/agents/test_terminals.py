"""The WebSocket of terminals: ``GET /api/v2/workspaceagents/{id}/pty``."""

import asyncio
import json
from contextlib import suppress
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server import identity
from server.agents.model import TerminalWish
from server.kit.authz import as_system
from server.kit.errors import Invalid
from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows

ME = as_system("test")
TERMINAL = "6a1c2d3e-0b1f-4a52-8f5e-0a7a6b3c2d10"


def dial(replica: Replica, agent: AgentRows, token: str, **query: object) -> connect:
    """Ask for a terminal."""
    return replica.socket(f"/workspaceagents/{agent.id}/pty?{urlencode(query)}", token)


async def terminal(stream: ClientConnection) -> None:
    """Be the agent's port 2: say what was asked for, then what was said, byte by byte."""
    heard = b""
    with suppress(ConnectionClosed):
        while len(heard) < 2 or len(heard) < 2 + int.from_bytes(heard[:2], "little"):
            message = await stream.recv()
            assert isinstance(message, bytes)
            heard += message
        end = 2 + int.from_bytes(heard[:2], "little")
        await stream.send(b"init " + heard[2:end])
        await stream.send(heard[end:] or b"-")
        async for message in stream:
            assert isinstance(message, bytes)
            await stream.send(message)


async def refused(
    replica: Replica, agent: AgentRows, token: str, **query: object
) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refusal:
        await dial(replica, agent, token, **query)
    response = refusal.value.response
    return response.status_code, (response.body or b"").decode()


async def test_the_agent_hears_first_what_the_query_asks_for(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    wish: dict[str, object] = {
        "height": 30,
        "width": 90,
        "command": "echo 'ä'",
        "container": "box",
        "container_user": "dev",
        "backend_type": "buffered",
    }
    async with (
        scripted(replica, agent, services={2: terminal}),
        dial(replica, agent, house.token, reconnect=TERMINAL, **wish) as socket,
    ):
        first = await socket.recv()
        assert isinstance(first, bytes)
        assert json.loads(first.removeprefix(b"init ")) == {
            "ID": TERMINAL,
            "Height": 30,
            "Width": 90,
            "Command": "echo 'ä'",
            "Container": "box",
            "ContainerUser": "dev",
            "BackendType": "buffered",
        }
        assert "permessage-deflate" not in str(socket.response and socket.response.headers)


async def test_a_terminal_has_eighty_rows_and_columns_unless_told_otherwise(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with (
        scripted(replica, agent, services={2: terminal}),
        dial(replica, agent, house.token, reconnect=TERMINAL) as socket,
    ):
        first = await socket.recv()
        assert isinstance(first, bytes)
        init = json.loads(first.removeprefix(b"init "))
        assert (init["Height"], init["Width"], init["Command"]) == (80, 80, "")


async def test_keys_may_come_as_text_or_bytes_and_in_any_length(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with (
        scripted(replica, agent, services={2: terminal}),
        dial(replica, agent, house.token, reconnect=TERMINAL) as socket,
    ):
        for _ in range(2):
            await socket.recv()
        await socket.send('{"data": "text"}')
        assert await socket.recv() == b'{"data": "text"}'
        await socket.send(b"")  # Not the end of anything.
        await socket.send(b'{"data": "bytes"}')
        assert await socket.recv() == b'{"data": "bytes"}'
        long = b"x" * 600_000
        await socket.send(long)
        got = b""
        while len(got) < len(long):
            message = await socket.recv()
            assert isinstance(message, bytes)
            got += message
        assert got == long


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "reconnect"),
        ({"reconnect": "x"}, "reconnect"),
        ({"reconnect": TERMINAL, "height": "-1"}, "height"),
        ({"reconnect": TERMINAL, "width": "99999"}, "width"),
        ({"reconnect": TERMINAL, "backend_type": "tmux"}, "backend_type"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_in_words(
    house: House, replica: Replica, agent: AgentRows, query: dict[str, object], field: str
) -> None:
    status, body = await refused(replica, agent, house.token, **query)
    assert status == 400
    assert field in [each["field"] for each in json.loads(body)["validations"]]


def test_a_command_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="too long"):
        TerminalWish(uuid4(), 80, 80, "x" * 70_000).first_words()


async def test_a_terminal_needs_the_right_to_a_shell(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    _, admin = await house.person("dora", "template-admin")
    _, stranger = await house.person("mallory")
    async with scripted(replica, agent, services={2: terminal}):
        assert (await refused(replica, agent, admin, reconnect=TERMINAL))[0] == 403
        assert (await refused(replica, agent, stranger, reconnect=TERMINAL))[0] == 404
        assert (await refused(replica, agent, "nonsense", reconnect=TERMINAL))[0] == 401


async def test_a_terminal_is_cut_when_the_right_is_lost(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with (
        scripted(replica, agent, services={2: terminal}),
        dial(replica, agent, house.token, reconnect=TERMINAL) as socket,
    ):
        await socket.recv()
        async with house.database.tx(ME) as tx:
            await tx.run(
                "UPDATE users SET status = 'suspended' WHERE id = %(id)s", {"id": house.alice}
            )
            await tx.announce(identity.AccessChanged(user_id=house.alice))
        async with asyncio.timeout(10):
            with suppress(ConnectionClosed):
                while True:
                    await socket.recv()
        assert socket.close_code == 4403


@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), (None, 403)])
async def test_a_page_of_another_origin_gets_no_terminal_with_its_visitors_cookie(
    house: House, replica: Replica, agent: AgentRows, origin: str | None, status: int
) -> None:
    headers = {"Cookie": f"coder_session_token={house.token}"}
    headers |= {"Origin": origin} if origin else {}
    url = f"ws://127.0.0.1:{replica.port}/api/v2/workspaceagents/{agent.id}/pty"
    async with scripted(replica, agent, services={2: terminal}):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(f"{url}?reconnect={TERMINAL}", additional_headers=headers, proxy=None)
        assert refusal.value.response.status_code == status
        headers["Origin"] = f"http://127.0.0.1:{replica.port}"
        async with connect(
            f"{url}?reconnect={TERMINAL}", additional_headers=headers, proxy=None
        ) as socket:
            assert (await socket.recv())[:5] == b"init "


async def test_a_terminal_is_reached_from_any_replica(house: House) -> None:
    one, two = await house.replica(), await house.replica()
    agent = await house.agent()
    async with scripted(two, agent, services={2: terminal}):
        for replica in (one, two):
            async with dial(replica, agent, house.token, reconnect=uuid4()) as socket:
                first = await socket.recv()
                assert isinstance(first, bytes)
                assert first.startswith(b"init ")
