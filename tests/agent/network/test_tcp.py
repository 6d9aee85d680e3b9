"""Streams joined to TCP ports: both directions, each with its own end, and back-pressure."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest

from agent.network import NobodyListens, connect_local, join_tcp
from agent.network.frames import Ended
from tests.agent.frames import End

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def joined() -> AsyncIterator[tuple[End, Connection, "asyncio.Task[None]"]]:
    """A stream joined to a TCP server, and the server's side of the connection."""
    accepted: asyncio.Queue[Connection] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    ours, far = End.pair()
    reader, writer = await connect_local(server.sockets[0].getsockname()[1])
    task = asyncio.ensure_future(join_tcp(ours, reader, writer))
    connection = await accepted.get()
    yield far, connection, task
    task.cancel()
    connection[1].close()
    server.close()


async def test_each_direction_ends_by_itself(
    joined: tuple[End, Connection, "asyncio.Task[None]"],
) -> None:
    far, (reader, writer), task = joined
    await far.send(b"question")
    await far.send(b"")
    assert await reader.read() == b"question"
    writer.write(b"answer after the end")
    writer.write_eof()
    assert await far.recv() == b"answer after the end"
    assert await far.recv() == b""
    async with asyncio.timeout(10):
        await task


async def test_an_orderly_good_bye_delivers_what_was_sent_before(
    joined: tuple[End, Connection, "asyncio.Task[None]"],
) -> None:
    far, (reader, _), task = joined
    data = os.urandom(1 << 20)
    await far.send(data)
    await far.close()
    assert await reader.read() == data
    async with asyncio.timeout(10):
        await task


async def test_a_broken_stream_resets_the_connection(
    joined: tuple[End, Connection, "asyncio.Task[None]"],
) -> None:
    far, (reader, _), task = joined
    far.abort()
    async with asyncio.timeout(10):
        await task
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_server_that_breaks_ends_the_stream(
    joined: tuple[End, Connection, "asyncio.Task[None]"],
) -> None:
    far, (_, writer), task = joined
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
    async with asyncio.timeout(10):
        await task
        with pytest.raises(Ended):
            await _everything(far)


async def _everything(far: End) -> None:
    while True:
        await far.recv()


async def test_a_server_that_does_not_read_holds_the_stream_back(
    joined: tuple[End, Connection, "asyncio.Task[None]"],
) -> None:
    far, (reader, _), _ = joined
    for _ in range(400):  # 100 MiB, far more than all the buffers on the way.
        await far.send(bytes(256 * 1024))
    before = -1
    while before != far.other.inbox.qsize():
        before = far.other.inbox.qsize()
        await asyncio.sleep(0.05)
    assert before > 200
    received = 0
    while received < 400 * 256 * 1024:
        received += len(await reader.read(1 << 20))


async def test_servers_that_only_know_ipv6_are_found() -> None:
    try:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "::1", 0)
    except OSError:
        pytest.skip("no IPv6 here")
    async with server:
        _, writer = await connect_local(server.sockets[0].getsockname()[1])
        writer.close()


@pytest.mark.parametrize("port", [3, 8])
async def test_ports_of_the_agent_itself_are_not_tcp(port: int) -> None:
    with pytest.raises(NobodyListens, match=f"Nothing listens on port {port} of the agent"):
        await connect_local(port)


async def test_a_port_without_a_listener_is_a_sentence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(NobodyListens, match=f"Nothing listens on port {port}"):
            await connect_local(port)
