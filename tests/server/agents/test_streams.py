"""Byte streams into a workspace: who may open one, what flows, and when it is cut."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server import identity
from server.agents import Dialer
from server.kit.authz import as_system
from server.kit.errors import NotFound
from server.workspaces import WorkspaceChanged
from tests.server.agents.house import House, Replica, echo, scripted, until
from tests.server.agents.rows import AgentRows, add_build

ME = as_system("test")


async def refused(replica: Replica, agent: AgentRows, port: int, token: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refusal:
        await replica.stream(agent, port, token)
    response = refusal.value.response
    return response.status_code, (response.body or b"").decode()


async def closed(stream: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(10):
        with suppress(ConnectionClosed):
            async for _ in stream:
                pass
        await stream.wait_closed()
    return stream.close_code, stream.close_reason


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
    status, body = await refused(replica, agent, 22, house.token)
    assert status == 404
    assert "Agent 'main' of workspace 'dev' is not connected: connecting." in body
    async with scripted(replica, agent):
        pass
    await until(lambda: gone(house, agent))
    assert "disconnected" in (await refused(replica, agent, 22, house.token))[1]


async def gone(house: House, agent: AgentRows) -> bool:
    return (await house.row(agent))["connection_id"] is None


async def test_reserved_ports_are_refused_in_the_words_of_applications(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        status, body = await refused(replica, agent, 7, house.token)
        assert status == 400
        assert (
            "Application port 7 is not permitted. "
            "Coder reserves ports less than 9 for internal use." in body
        )
        assert (await refused(replica, agent, 70_000, house.token))[0] == 400
        assert line.opened == []


async def test_somebody_elses_agent_looks_like_none(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    _, bob = await house.person("bob")
    _, auditor = await house.person("carla", "auditor")
    async with scripted(replica, agent) as line:
        for token in (bob, auditor):
            assert (await refused(replica, agent, 22, token))[0] == 404
        assert (await refused(replica, agent, 22, "nonsense"))[0] == 401
        assert (await refused(replica, agent, 22, agent.token))[0] == 401
        assert line.opened == []


async def test_who_may_see_a_workspace_may_not_enter_it_for_that(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    _, admin = await house.person("dora", "template-admin")
    _, owner = await house.person("olga", "owner")
    async with scripted(replica, agent, services={22: echo, 8080: echo}):
        for port in (22, 8080):
            assert (await refused(replica, agent, port, admin))[0] == 403
            async with replica.stream(agent, port, owner) as stream:
                await stream.send(b"x")
                assert await stream.recv() == b"x"


async def test_a_token_for_applications_opens_ports_but_no_shell(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with house.database.tx(ME) as tx:
        await tx.run("UPDATE api_keys SET scopes = '{coder:application_connect}'")
    async with scripted(replica, agent, services={8080: echo}):
        assert (await refused(replica, agent, 22, house.token))[0] == 404
        async with replica.stream(agent, 8080, house.token) as stream:
            await stream.send(b"x")
            assert await stream.recv() == b"x"


async def test_the_agents_no_reaches_the_client_with_its_reason(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async def nobody(stream: ClientConnection) -> None:
        await stream.close(4404, "nobody listens on port 8080")

    async with (
        scripted(replica, agent, services={8080: nobody}),
        replica.stream(agent, 8080, house.token) as stream,
    ):
        assert await closed(stream) == (4404, "nobody listens on port 8080")


async def test_frames_over_the_limit_end_the_stream(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent), replica.stream(agent, 22, house.token) as stream:
        await stream.send(b"x" * (256 * 1024))
        assert len(await stream.recv()) == 256 * 1024
        await stream.send(b"x" * (256 * 1024 + 1))
        assert (await closed(stream))[0] == 1009


async def test_text_frames_end_the_stream(house: House, replica: Replica, agent: AgentRows) -> None:
    async with scripted(replica, agent), replica.stream(agent, 22, house.token) as stream:
        await stream.send("text")
        assert (await closed(stream))[0] == 1003


async def test_an_agent_that_vanishes_is_not_taken_for_a_clean_end(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async def dies(stream: ClientConnection) -> None:
        stream.transport.abort()

    async with (
        scripted(replica, agent, services={22: dies}),
        replica.stream(agent, 22, house.token) as stream,
    ):
        assert await closed(stream) == (1011, "the line broke")


async def suspend(house: House) -> None:
    async with house.database.tx(ME) as tx:
        await tx.run("UPDATE users SET status = 'suspended' WHERE id = %(id)s", {"id": house.alice})
        await tx.announce(identity.AccessChanged(user_id=house.alice))


async def delete_key(house: House) -> None:
    async with house.database.tx(ME) as tx:
        await tx.run("DELETE FROM api_keys WHERE user_id = %(id)s", {"id": house.alice})
        await tx.announce(identity.AccessChanged(user_id=house.alice))


async def take_membership(house: House) -> None:
    async with house.database.tx(ME) as tx:
        sql = "DELETE FROM organization_members WHERE user_id = %(id)s"
        await tx.run(sql, {"id": house.alice})
        await tx.announce(identity.AccessChanged(user_id=house.alice))


@pytest.mark.parametrize("loses", [suspend, delete_key, take_membership])
async def test_a_stream_is_cut_when_the_right_is_lost(
    house: House, replica: Replica, agent: AgentRows, loses: Callable[[House], Awaitable[None]]
) -> None:
    async with scripted(replica, agent), replica.stream(agent, 22, house.token) as stream:
        await stream.send(b"before")
        assert await stream.recv() == b"before"
        await loses(house)
        code, reason = await closed(stream)
        assert code == 4403
        assert reason
        assert replica.relay.counts().streams == 0


async def test_a_stream_is_cut_even_when_its_client_reads_nothing(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async def flood(stream: ClientConnection) -> None:
        try:
            while True:
                await stream.send(b"x" * 65536)
        except ConnectionClosed:
            return

    async with (
        scripted(replica, agent, services={22: flood}),
        replica.stream(agent, 22, house.token) as stream,
    ):
        await until(lambda: stalled(replica))
        await suspend(house)
        await until(lambda: streams_are(replica, 0))
        stream.transport.abort()


async def streams_are(replica: Replica, number: int) -> bool:
    return replica.relay.counts().streams == number


async def stalled(replica: Replica) -> bool:
    before = replica.relay.counts().bytes_down
    await asyncio.sleep(0.3)
    return before > 0 and replica.relay.counts().bytes_down == before


async def test_a_slow_reader_holds_the_sender_back_and_memory_stays_bounded(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    sent = 0

    async def flood(stream: ClientConnection) -> None:
        nonlocal sent
        for _ in range(1000):
            await stream.send(b"x" * 65536)
            sent += 65536
        await stream.send(b"")

    async with (
        scripted(replica, agent, services={22: flood}),
        replica.stream(agent, 22, house.token) as stream,
    ):
        await until(lambda: stalled(replica))
        held = sent
        assert held < 32 * 1024 * 1024  # what the kernel's and both ends' buffers hold
        received = 0
        while frame := await stream.recv():
            received += len(frame)
        assert received == sent == 65_536_000


async def test_a_stream_is_cut_when_the_workspace_gets_a_newer_build(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent), replica.stream(agent, 22, house.token) as stream:
        await add_build(house.database, agent)
        async with house.database.tx(ME) as tx:
            changed = WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=house.alice)
            await tx.announce(changed)
        assert await closed(stream) == (4403, "The workspace has a newer build.")


async def test_a_stream_outlives_a_short_loss_of_the_control_line_but_not_a_long_one(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with (
        scripted(replica, agent) as line,
        replica.stream(agent, 22, house.token) as stream,
    ):
        await line.line.close()
        await until(lambda: gone(house, agent))
        await stream.send(b"still")
        assert await stream.recv() == b"still"
        async with house.database.tx(ME) as tx:
            await tx.run(
                "UPDATE workspace_agents SET last_connected_at = %(long_ago)s,"
                " disconnected_at = %(long_ago)s + interval '1 second'",
                {"long_ago": tx.now - timedelta(minutes=1)},
            )
            changed = WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=house.alice)
            await tx.announce(changed)
        assert await closed(stream) == (4404, "The workspace agent is disconnected.")


async def test_a_change_that_takes_no_right_cuts_nothing(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent), replica.stream(agent, 22, house.token) as stream:
        async with house.database.tx(ME) as tx:
            await tx.announce(identity.AccessChanged(user_id=house.alice))
        for _ in range(3):
            await stream.send(b"x")
            assert await stream.recv() == b"x"


async def test_a_stream_goes_through_whatever_replicas_it_must(house: House) -> None:
    one, two, three = [await house.replica() for _ in range(3)]
    agent = await house.agent()
    async with scripted(two, agent, dials_to=three):
        for replica in (one, two, three):
            async with replica.stream(agent, 22, house.token) as stream:
                await stream.send(b"x" * 100_000)
                assert await stream.recv() == b"x" * 100_000
                await stream.send(b"")
                assert await stream.recv() == b""
                await stream.wait_closed()
                assert stream.close_code == 1000
    assert one.relay.counts().hops == 1  # to ask for the dial-back; its bytes are three's hops
    assert three.relay.counts().hops == 3


async def test_a_stream_across_replicas_is_cut_too(house: House) -> None:
    one, two = await house.replica(), await house.replica()
    agent = await house.agent()
    async with scripted(two, agent), one.stream(agent, 22, house.token) as stream:
        await stream.send(b"x")
        assert await stream.recv() == b"x"
        await suspend(house)
        assert (await closed(stream))[0] == 4403


async def test_the_servers_own_rooms_dial_too(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    dialer = Dialer(replica.board)
    async with scripted(replica, agent, services={4: echo}):
        async with dialer.open(agent.id, 4) as stream:
            await stream.write(b"x" * 600_000)
            got = b""
            while len(got) < 600_000:
                got += await stream.receive()
            await stream.write_eof()
            assert await stream.receive() == b""
        for nobody in (uuid4(), (await house.agent(name="other")).id):
            with pytest.raises(NotFound):
                async with dialer.open(nobody, 4):
                    raise AssertionError
