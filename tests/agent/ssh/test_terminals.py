"""Terminals over SSH: size, signals, and what a person reads on logging in."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from asyncssh.constants import PTY_ECHO, PTY_VEOL2, PTY_VERASE

from coder_cli.sdk.agentapi import Banner, Method
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of
from tests.agent.ssh.conftest import Clients, connect


@pytest.fixture
async def connection(clients: Clients) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection by asyncssh's client, which can do what the program's flags cannot."""
    async with asyncssh.connect("127.0.0.1", clients.port, known_hosts=None) as connection:
        yield connection


async def _line_with(process: "asyncssh.SSHClientProcess[str]", word: str) -> str:
    async with asyncio.timeout(20):
        while word not in (line := await process.stdout.readline()):
            assert line, f"ended without {word!r}"
    return line.strip()


async def test_a_terminal_has_its_size_and_follows_the_window(
    connection: asyncssh.SSHClientConnection,
) -> None:
    script = "trap 'stty size' WINCH; echo $TERM; stty size; echo go; while :; do sleep 0.05; done"
    process = await connection.create_process(script, term_type="xterm", term_size=(100, 40))
    assert await _line_with(process, "xterm") == "xterm"
    assert await _line_with(process, "40") == "40 100"
    await _line_with(process, "go")
    process.change_terminal_size(120, 50)
    assert await _line_with(process, "50") == "50 120"
    process.kill()


async def test_the_terminal_modes_of_the_client_are_set(
    connection: asyncssh.SSHClientConnection,
) -> None:
    modes = {PTY_ECHO: 0, PTY_VERASE: 8, PTY_VEOL2: 255}
    done = await connection.run("stty -a", term_type="xterm", term_modes=modes)
    assert "-echo " in str(done.stdout)
    assert "erase = ^H" in str(done.stdout)
    assert "eol2 = <undef>" in str(done.stdout)


async def test_control_c_interrupts_what_runs_in_the_foreground(
    connection: asyncssh.SSHClientConnection,
) -> None:
    script = "trap 'echo caught; exit 5' INT; echo on; while :; do sleep 0.05; done"
    process = await connection.create_process(script, term_type="xterm")
    await _line_with(process, "on")
    process.stdin.write("\x03")
    await _line_with(process, "caught")
    assert (await process.wait()).exit_status == 5


@pytest.mark.parametrize("terminal", [None, "xterm"], ids=["pipes", "terminal"])
async def test_signals_of_the_client_reach_the_process_group(
    connection: asyncssh.SSHClientConnection, terminal: str | None
) -> None:
    script = "trap 'echo got it; exit 6' USR1; echo on; while :; do sleep 0.05; done"
    process = await connection.create_process(script, term_type=terminal)
    await _line_with(process, "on")
    process.send_signal("USR1")
    await _line_with(process, "got it")
    assert (await process.wait()).exit_status == 6


async def test_a_death_by_signal_is_told_by_its_name(
    connection: asyncssh.SSHClientConnection,
) -> None:
    done = await connection.run("kill -KILL $$")
    assert done.exit_signal
    assert done.exit_signal[0] == "KILL"


async def test_the_output_before_the_end_of_a_terminal_is_complete(
    connection: asyncssh.SSHClientConnection,
) -> None:
    done = await connection.run("seq 20000", term_type="xterm")
    assert str(done.stdout).split() == [str(number) for number in range(1, 20001)]


async def test_a_background_process_does_not_hold_a_terminal_session(
    connection: asyncssh.SSHClientConnection,
) -> None:
    async with asyncio.timeout(20):
        done = await connection.run(
            "trap '' HUP; sleep 5 & echo started", term_type="xterm", check=True
        )
    assert "started" in str(done.stdout)


async def test_the_messages_of_a_login(
    plane: ControlPlane, start: Start, home: Path, tmp_path: Path
) -> None:
    (home / "motd").write_text("message\nof the day\n")
    plane.manifest = manifest_of(motd_path="~/motd")
    plane.banners = (
        Banner(enabled=True, message="announcement"),
        Banner(enabled=False, message="old news"),
    )
    running = await start()
    await plane.until(lambda: plane.called(Method.BANNERS))
    async with connect(plane, running, home, tmp_path) as clients:
        login = await clients.run("ssh", "-tt", "127.0.0.1", stdin=b"exit\n")
        assert login.out.startswith("announcement\r\nmessage\r\nof the day\r\n")
        assert "old news" not in login.out

        command = await clients.run("ssh", "-tt", "127.0.0.1", "true")
        assert command.out == ""
        no_terminal = await clients.run("ssh", "-T", "127.0.0.1", stdin=b"exit\n")
        assert "announcement" not in no_terminal.out

        (home / ".hushlogin").touch()
        hushed = await clients.run("ssh", "-tt", "127.0.0.1", stdin=b"exit\n")
        assert "announcement" not in hushed.out
