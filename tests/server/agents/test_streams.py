"""Byte streams into a workspace: who may open one, what flows, and when it is cut."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.server.agents.house import House, Replica, scripted
from tests.server.agents.rows import AgentRows


async def test_bytes_flow_both_ways_and_an_empty_frame_ends_a_direction(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent), replica.stream(agent, 22, house.token) as stream:
        await stream.send(b"hello")
        assert await stream.recv() == b"hello"
        await stream.send(b"")
        assert await stream.recv() == b""
        await stream.wait_closed()
        assert stream.close_code == 1000


async def test_an_agent_that_is_not_connected_is_refused_with_its_status(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await replica.stream(agent, 22, house.token)
    assert refusal.value.response.status_code == 404
    assert b"connecting" in (refusal.value.response.body or b"")
