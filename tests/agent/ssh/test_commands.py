"""Commands over SSH, by the stock client."""

import asyncio
import os
import signal
from pathlib import Path
from uuid import UUID

import pytest

from coder_cli.sdk.agentapi import Method
from tests.agent.control_plane import ControlPlane, manifest_of
from tests.agent.ssh.conftest import Clients
from tests.agent.waiting import is_alive, until, words_of


async def test_a_command_gives_its_output_and_its_exit_code(clients: Clients) -> None:
    ended = await clients.ssh("echo out; echo err >&2; exit 7")
    assert (ended.code, ended.out, ended.err) == (7, "out\n", "err\n")


async def test_a_script_on_standard_input_runs_as_editors_do(clients: Clients) -> None:
    ended = await clients.ssh("bash", stdin=b"echo hello from $0\ncat <<X\nmore\nX\nexit 3\n")
    assert (ended.code, ended.out) == (3, "hello from bash\nmore\n")


async def test_bulk_data_passes_both_ways_unchanged(clients: Clients) -> None:
    data = os.urandom(6 << 20)
    process = await clients.start("ssh", "127.0.0.1", "cat")
    out, _ = await process.communicate(data)
    assert out == data
    assert process.returncode == 0


async def test_output_without_a_reader_does_not_pile_up_in_the_agent(
    clients: Clients, home: Path
) -> None:
    counter = home / "count"
    script = f"for i in $(seq 64); do head -c 1048576 /dev/zero; echo $i >{counter}; done"
    process = await clients.start("ssh", "127.0.0.1", script)
    await until(counter.exists)
    settled = await _settled(counter)
    assert int(settled) < 40  # Pipes and windows hold a few MiB; the rest waits in the process.
    out, _ = await process.communicate()
    assert len(out) == 64 << 20


async def _settled(path: Path) -> str:
    before, after = [""], words_of(path)
    while before != after or not after:
        await asyncio.sleep(0.3)  # It has settled when nothing moves for a while.
        before, after = after, words_of(path)
    return after[0]


async def test_a_signal_of_the_client_reaches_the_process_and_its_death_the_client(
    clients: Clients,
) -> None:
    ended = await clients.ssh("kill -TERM $$")
    assert ended.code == 255  # What OpenSSH makes of a death by signal.


async def test_a_shebang_chooses_the_interpreter(clients: Clients) -> None:
    ended = await clients.ssh("#!/usr/bin/env python3\nimport sys; print('py', 6 * 7); sys.exit(4)")
    assert (ended.code, ended.out) == (4, "py 42\n")


async def test_an_unknown_command_is_127(clients: Clients) -> None:
    ended = await clients.ssh("no-such-command-here")
    assert ended.code == 127


async def test_an_unknown_subsystem_ends_with_1(clients: Clients) -> None:
    ended = await clients.run("ssh", "-s", "127.0.0.1", "netconf")
    assert ended.code == 1


async def test_a_session_lasts_until_its_background_processes_are_silent(clients: Clients) -> None:
    ended = await clients.ssh("(sleep 0.3; echo late) & echo early")
    assert ended.out == "early\nlate\n"


async def test_the_environment_of_a_session(clients: Clients, plane: ControlPlane) -> None:
    options = ["-o", "SetEnv=COLOUR=red CODER_SSH_SESSION_TYPE=vscode CODER=false"]
    ended = await clients.run("ssh", *options, "127.0.0.1", "env; pwd")
    seen = dict(line.split("=", 1) for line in ended.out.splitlines() if "=" in line)
    assert seen["COLOUR"] == "red"
    assert seen["CODER"] == "true"
    assert seen["CODER_WORKSPACE_NAME"] == "dev"
    assert seen["SSH_CONNECTION"] == "0.0.0.0 0 0.0.0.0 0"
    assert seen["SSH_CLIENT"] == "0.0.0.0 0 0"
    assert seen["USER"]
    assert "CODER_SSH_SESSION_TYPE" not in seen
    assert ended.out.splitlines()[-1] == str(clients.home)
    kinds = {report["type"] for report in plane.called(Method.CONNECTION)}
    assert kinds == {"vscode"}


async def test_sessions_start_in_the_directory_of_the_manifest(
    plane: ControlPlane, clients: Clients, home: Path
) -> None:
    (home / "project").mkdir()
    plane.manifest = manifest_of(directory="~/project")
    await plane.drop()
    await plane.until(lambda: len(plane.called(Method.STARTUP)) == 2)
    ended = await clients.ssh("pwd")
    assert ended.out == f"{home}/project\n"
    assert plane.called(Method.STARTUP)[1]["expanded_directory"] == f"{home}/project"


async def test_a_session_is_reported_when_it_comes_and_when_it_goes(
    clients: Clients, plane: ControlPlane
) -> None:
    await clients.ssh("exit 9")
    await plane.until(lambda: len(plane.called(Method.CONNECTION)) == 2)
    came, went = plane.called(Method.CONNECTION)
    assert UUID(came["id"])
    assert came["id"] == went["id"]
    assert (came["action"], went["action"]) == ("connect", "disconnect")
    assert (went["status_code"], went["type"], went["ip"]) == (9, "ssh", "127.0.0.1")


@pytest.mark.parametrize("terminal", [False, True], ids=["pipes", "terminal"])
async def test_nothing_of_a_session_outlives_its_client(
    clients: Clients, home: Path, terminal: bool
) -> None:
    pids = home / "pids"
    script = f"sleep 600 & echo $! >{pids}; echo $$ >>{pids}; sleep 600"
    process = await clients.start("ssh", *(["-tt"] if terminal else []), "127.0.0.1", script)
    await until(lambda: len(words_of(pids)) == 2)
    process.kill()
    await process.wait()
    for pid in map(int, words_of(pids)):
        await until(lambda pid=pid: not is_alive(pid))


async def test_what_asked_to_survive_a_hang_up_survives(clients: Clients, home: Path) -> None:
    pid_file = home / "pid"
    daemon = f"trap '' HUP; echo $$ >{pid_file}; exec sleep 600"  # What nohup does.
    script = f'sh -c "{daemon.replace("$", chr(92) + "$")}" >/dev/null 2>&1 </dev/null & sleep 600'
    process = await clients.start("ssh", "127.0.0.1", script)
    await until(lambda: words_of(pid_file))
    process.kill()
    await process.wait()
    await until(lambda: not clients.running.agent.children.pids)
    pid = int(words_of(pid_file)[0])
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)


async def test_a_session_without_a_manifest_is_refused(clients: Clients) -> None:
    environment = clients.running.agent.environment
    manifest, environment.manifest = environment.manifest, None
    ended = await clients.ssh("true")
    environment.manifest = manifest
    assert ended.code == 229
    assert "no manifest" in ended.err
