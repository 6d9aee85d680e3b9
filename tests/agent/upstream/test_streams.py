"""Dial-back streams of a running agent, seen from the server."""

import asyncio
import socket

import pytest
from websockets.exceptions import ConnectionClosed

from coder_cli.sdk.agentapi import FRAME, Method
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane


async def _shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 20):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def test_a_stream_reaches_a_port_of_the_workspace(plane: ControlPlane, start: Start) -> None:
    await start()
    server = await asyncio.start_server(_shout, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, plane.stream(port) as stream:
        await stream.send(b"hello")
        assert await stream.recv() == b"HELLO"
        await stream.send(b"")
        assert await stream.recv() == b""


async def test_frames_are_no_larger_than_agreed(plane: ControlPlane, start: Start) -> None:
    await start()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(8 * FRAME))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    sizes: list[int] = []
    async with server, plane.stream(server.sockets[0].getsockname()[1]) as stream:
        while data := await stream.recv():
            sizes.append(len(data))
    assert sum(sizes) == 8 * FRAME
    assert max(sizes) <= FRAME


@pytest.mark.parametrize("port", [3, 7])
async def test_a_port_without_a_service_closes_the_stream_with_a_reason(
    plane: ControlPlane, start: Start, port: int
) -> None:
    await start()
    async with plane.stream(port) as stream:
        with pytest.raises(ConnectionClosed) as closed:
            await stream.recv()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4404
    assert closed.value.rcvd.reason == f"Nothing listens on port {port} of the agent."


async def test_a_tcp_port_without_a_listener_closes_the_stream_with_a_reason(
    plane: ControlPlane, start: Start
) -> None:
    await start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        async with plane.stream(port) as stream:
            with pytest.raises(ConnectionClosed) as closed:
                await stream.recv()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4404
    assert closed.value.rcvd.reason == f"Nothing listens on port {port} in the workspace."


async def test_streams_survive_a_lost_control_line(plane: ControlPlane, start: Start) -> None:
    await start()
    server = await asyncio.start_server(_shout, "127.0.0.1", 0)
    async with server, plane.stream(server.sockets[0].getsockname()[1]) as stream:
        await plane.drop()
        await plane.until(lambda: plane.connections == 2)
        await stream.send(b"still")
        assert await stream.recv() == b"STILL"
        await stream.send(b"")
        assert await stream.recv() == b""


async def test_an_open_of_the_wrong_shape_is_refused(plane: ControlPlane, start: Start) -> None:
    await start()
    answer = await plane.call(Method.OPEN, {"stream_id": "x"})
    assert answer["error"] == {"code": -32602, "message": "Open.port is missing"}


async def test_streams_and_traffic_show_in_the_statistics(
    plane: ControlPlane, start: Start
) -> None:
    plane.answers[Method.STATS] = lambda _: {"report_interval_ms": 1000}
    await start()
    server = await asyncio.start_server(_shout, "127.0.0.1", 0)
    async with server, plane.stream(server.sockets[0].getsockname()[1]) as stream:
        await stream.send(b"hello")
        await stream.recv()
        await plane.until(lambda: any(each["rx_bytes"] for each in plane.called(Method.STATS)))
    asked, *reports = plane.called(Method.STATS)
    assert asked["connection_count"] == 0
    told = next(each for each in reports if each["rx_bytes"])
    assert (told["rx_bytes"], told["tx_bytes"]) == (5, 5)
    assert told["connections_by_proto"] == {"TCP": 1}


async def test_the_server_may_ask_whether_the_agent_is_there(
    plane: ControlPlane, start: Start
) -> None:
    await start()
    assert (await plane.call(Method.PING, {}))["result"] == {}
