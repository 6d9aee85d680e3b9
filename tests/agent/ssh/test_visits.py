"""Who came and who went: addresses, editors, and JetBrains, which does not say that it comes."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import asyncssh
import pytest

from agent.ssh.jetbrains import Detector
from agent.ssh.visits import kind_of, peer_address
from coder_cli.sdk.agentapi import ConnectionType, Method
from tests.agent.control_plane import ControlPlane
from tests.agent.ssh.conftest import Clients


@pytest.mark.parametrize(
    ("peer", "address"),
    [(("localhost", 1), "127.0.0.1"), (("10.0.0.9", 1), "10.0.0.9"), ("10.0.0.9:5", "10.0.0.9")],
)
def test_localhost_is_reported_as_127_0_0_1(peer: object, address: str) -> None:
    assert peer_address(peer) == address


@pytest.mark.parametrize("peer", [None, "", ("", 0)])
def test_the_blank_address_of_a_peer_that_has_gone_is_no_error(
    peer: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert peer_address(peer) == ""
    assert caplog.records == []


def test_only_an_address_that_is_there_and_cannot_be_read_is_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert peer_address(("nonsense", 1)) == ""
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("vscode", ConnectionType.VSCODE),
        ("VSCode", ConnectionType.VSCODE),
        ("JetBrains", ConnectionType.JETBRAINS),
        ("", ConnectionType.SSH),
        ("emacs", ConnectionType.SSH),
    ],
)
def test_session_types_are_read_whatever_their_case(name: str, kind: ConnectionType) -> None:
    assert kind_of(name) is kind


@pytest.mark.parametrize(("word", "kind"), [("VSCODE", "vscode"), ("jetbrains", "jetbrains")])
async def test_an_editors_session_is_reported_and_counted_as_its_own(
    clients: Clients, plane: ControlPlane, word: str, kind: str
) -> None:
    async with asyncssh.connect("127.0.0.1", clients.port, known_hosts=None) as connection:
        env = {"CODER_SSH_SESSION_TYPE": word}
        process = await connection.create_process("echo =$CODER_SSH_SESSION_TYPE=; cat", env=env)
        assert await process.stdout.readline() == "==\n"
        await plane.until(lambda: plane.called(Method.CONNECTION))
        assert plane.called(Method.CONNECTION)[0]["type"] == kind
        process.stdin.write_eof()
        await process.wait()


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def proc_of(tmp_path: Path, port: int, cmdline: bytes) -> Path:
    """Return a /proc in which one process with ``cmdline`` listens at ``port``."""
    (tmp_path / "net").mkdir()
    (tmp_path / "41" / "fd").mkdir(parents=True)
    (tmp_path / "41" / "fd" / "3").symlink_to("socket:[777]")
    (tmp_path / "41" / "cmdline").write_bytes(cmdline)
    row = f" 0: 0100007F:{port:04X} 00000000:0000 0A 0:0 0:0 0 0 0 777 1\n"
    (tmp_path / "net" / "tcp").write_text(f"header\n{row}")
    return tmp_path


def test_jetbrains_is_known_by_the_command_line_of_who_listens(tmp_path: Path) -> None:
    proc = proc_of(tmp_path, 5990, b"java\0-Didea.vendor.name=JetBrains\0")
    detector = Detector(proc)
    assert detector.sees("127.0.0.1", 5990)
    assert detector.sees("localhost", 5990)
    assert not detector.sees("localhost", 5991)
    assert not detector.sees("example.com", 5990)


def test_others_who_listen_are_not_jetbrains(tmp_path: Path, listening: int) -> None:
    assert not Detector(proc_of(tmp_path, 5990, b"node\0server.js\0")).sees("::1", 5990)
    assert not Detector().sees("127.0.0.1", listening)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_a_connection_to_a_jetbrains_backend_is_a_session(
    clients: Clients, plane: ControlPlane
) -> None:
    script = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); c = s.accept()[0]; c.recv(1)"
    )
    backend = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, "-Didea.vendor.name=JetBrains",
        stdout=asyncio.subprocess.PIPE, env={**os.environ},
    )  # fmt: skip
    assert backend.stdout is not None
    port = int(await backend.stdout.readline())
    async with asyncssh.connect("127.0.0.1", clients.port, known_hosts=None) as connection:
        opening = connection.open_connection("127.0.0.1", port)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] — loosely typed there
        writer = cast("asyncssh.SSHWriter[str]", (await opening)[1])
        await plane.until(lambda: plane.called(Method.CONNECTION))
        assert plane.called(Method.CONNECTION)[0]["type"] == "jetbrains"
        writer.close()
        await plane.until(lambda: len(plane.called(Method.CONNECTION)) == 2)
        came, went = plane.called(Method.CONNECTION)
        assert came["id"] == went["id"]
        assert went["action"] == "disconnect"
    await backend.wait()
