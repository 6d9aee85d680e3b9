"""What SSH carries beside sessions: ports, sockets, the key agent, windows."""

import asyncio
import shutil
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.agent.ssh.conftest import Clients
from tests.agent.waiting import until


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    data = await reader.read()
    writer.write(b"heard " + data)
    writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"hello")
    writer.write_eof()
    async with asyncio.timeout(20):
        data = await reader.read()
    writer.close()
    return data


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A TCP server that answers when the other side has ended."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def forwarding(clients: Clients, *flags: str) -> AsyncGenerator[None]:
    process = await clients.start("ssh", *flags, "127.0.0.1", "echo on; cat")
    assert process.stdout
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"on\n"
    yield
    process.send_signal(signal.SIGTERM)
    await process.communicate()


async def test_local_port_forwarding(clients: Clients, echo: int, free_port: int) -> None:
    async with forwarding(clients, "-L", f"{free_port}:127.0.0.1:{echo}"):
        assert await _ask(*await asyncio.open_connection("127.0.0.1", free_port)) == b"heard hello"


async def test_remote_port_forwarding(clients: Clients, echo: int, free_port: int) -> None:
    async with forwarding(clients, "-R", f"{free_port}:127.0.0.1:{echo}"):
        assert await _ask(*await asyncio.open_connection("127.0.0.1", free_port)) == b"heard hello"


async def test_remote_forwarding_ends_with_its_connection(
    clients: Clients, echo: int, free_port: int
) -> None:
    async with forwarding(clients, "-R", f"{free_port}:127.0.0.1:{echo}"):
        pass
    async with asyncio.timeout(20):
        while await _listens(free_port):  # noqa: ASYNC110 - the listener goes without a word
            await asyncio.sleep(0.01)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def test_dynamic_forwarding(clients: Clients, echo: int, free_port: int) -> None:
    async with forwarding(clients, "-D", str(free_port)):
        reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
        writer.write(b"\x05\x01\x00")
        assert await reader.readexactly(2) == b"\x05\x00"
        writer.write(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + echo.to_bytes(2, "big"))
        assert (await reader.readexactly(10))[:2] == b"\x05\x00"
        assert await _ask(reader, writer) == b"heard hello"


async def test_unix_sockets_are_forwarded_both_ways(clients: Clients, tmp_path: Path) -> None:
    there, here = tmp_path / "there.sock", tmp_path / "here.sock"
    server = await asyncio.start_unix_server(_answer, there)
    async with server, forwarding(clients, "-L", f"{here}:{there}"):
        assert await _ask(*await asyncio.open_unix_connection(here)) == b"heard hello"
    back = tmp_path / "back.sock"
    server = await asyncio.start_unix_server(_answer, tmp_path / "again.sock")
    async with server, forwarding(clients, "-R", f"{back}:{tmp_path}/again.sock"):
        assert await _ask(*await asyncio.open_unix_connection(back)) == b"heard hello"


async def test_the_key_agent_is_forwarded(
    clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("ssh-agent") is None:
        pytest.skip("needs ssh-agent")
    key, socket = tmp_path / "key", tmp_path / "agent.sock"
    make = await clients.run_line(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
    assert make.code == 0
    keeper = await asyncio.create_subprocess_exec("ssh-agent", "-D", "-a", str(socket))
    try:
        await until(socket.exists)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        assert (await clients.run_line(["ssh-add", "-q", str(key)])).code == 0
        listed = await clients.run("ssh", "-A", "127.0.0.1", "ssh-add -L")
        assert listed.out.split()[1] == key.with_suffix(".pub").read_text().split()[1]
        without = await clients.run("ssh", "-a", "127.0.0.1", "echo ${SSH_AUTH_SOCK-none}")
        assert without.out == "none\n"
    finally:
        keeper.terminate()
        await keeper.wait()


async def test_windows_are_forwarded(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "127.0.0.1:77")
    ended = await clients.run("ssh", "-Y", "127.0.0.1", "echo $DISPLAY")
    assert ended.out.startswith("localhost:1")
    assert ended.out.strip().endswith(".0")
