"""The far end of a forwarded connection may speak first, fast and much."""

import asyncio
import os
import socket

import asyncssh
import pytest
from typing_extensions import override

from agent.ssh.forward import Channel, Far, forward_tcp, forward_unix
from tests.agent.ssh.conftest import Clients
from tests.agent.ssh.test_forwarding import forwarding
from tests.agent.waiting import until


class Recorder(Channel):
    """A channel that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[object] = []

    @override
    def write(self, data: bytes) -> None:
        self.events.append(data)

    @override
    def write_eof(self) -> None:
        self.events.append("eof")

    @override
    def close(self) -> None:
        self.events.append("close")

    @override
    def pause_reading(self) -> None:
        self.events.append("pause")

    @override
    def resume_reading(self) -> None:
        self.events.append("resume")


async def test_what_is_said_before_the_channel_is_open_is_not_lost() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello")
        writer.write_eof()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    port = server.sockets[0].getsockname()[1]
    transport, far = await loop.create_connection(Far, "127.0.0.1", port)
    channel = Recorder()
    async with server:
        await asyncio.sleep(0.05)  # All that will ever be said has been said.
        far.attach(channel)
        await until(lambda: channel.events == [b"220 hello", "eof"])
        transport.close()
        await until(lambda: channel.events[-1] == "close")


async def test_a_connection_that_is_lost_early_is_told_in_full() -> None:
    near, other = socket.socketpair()
    loop = asyncio.get_running_loop()
    _, far = await loop.create_connection(Far, sock=near)
    far.told_all = True
    other.close()
    await until(lambda: far.ended)
    await asyncio.sleep(0)
    channel = Recorder()
    far.attach(channel)
    await until(lambda: channel.events == ["eof", "close"])


async def test_servers_that_speak_first_are_heard_through_ssh_every_time(
    clients: Clients, free_port: int
) -> None:
    data = os.urandom(1 << 20)

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, forwarding(clients, "-L", f"{free_port}:127.0.0.1:{port}"):
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
            async with asyncio.timeout(20):
                assert await reader.read() == data
            writer.close()


async def test_nobody_there_is_a_refusal_with_words(tmp_path: os.PathLike[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(asyncssh.ChannelOpenError):
            await forward_tcp("127.0.0.1", probe.getsockname()[1])
    with pytest.raises(asyncssh.ChannelOpenError):
        await forward_unix(f"{tmp_path}/no.sock")
