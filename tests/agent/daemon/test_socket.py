"""The socket in the life of an agent: scripts find it, order themselves by it, and report by it."""

import asyncio
import sys
from pathlib import Path

import pytest

from coder_cli.sdk.agentapi import Json, Method
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of, script_of
from tests.agent.socket.conftest import Client
from tests.agent.waiting import until

CODER = str(Path(sys.executable).with_name("coder"))
BODY = {"app_slug": "claude", "state": "working", "message": "cloning", "uri": ""}
CLAUDE = """
coder exp sync want claude git
coder exp sync start claude | tee "$HOME/waiting"
echo claude runs
coder exp sync complete claude
"""
GIT = """
until grep -qs Waiting "$HOME/waiting"; do sleep 0.05; done
coder exp sync start git
echo git clones
coder exp sync complete git
"""


@pytest.fixture
def path(short: Path) -> str:
    return str(short / "run" / "coder-agent.sock")


async def ask(path: str, method: str, target: str, body: Json = None) -> tuple[int, Json]:
    client = Client(*await asyncio.open_unix_connection(path))
    try:
        return await client.ask(method, target, body)
    finally:
        client.hang_up()


async def test_the_seeds_two_scripts_run_in_their_order(
    plane: ControlPlane, start: Start, path: str
) -> None:
    """Seed: the scripts that run claude and clone the repository coordinate."""
    claude, git = script_of(CLAUDE), script_of(GIT)
    plane.manifest = manifest_of(scripts=(claude, git))
    await start(socket_paths=(path,), executable=CODER)
    await plane.until(lambda: plane.states[-1:] not in ([], ["starting"]))
    assert plane.states == ["starting", "ready"]
    await plane.until(lambda: {"git clones", "claude runs"} <= set(plane.lines()))
    when = {
        line["output"]: line["created_at"]
        for batch in plane.called(Method.LOGS)
        for line in batch["logs"]
    }
    assert when["git clones"] < when["claude runs"]
    assert [line for line in plane.lines(claude.log_source_id) if line != "Success"] == [
        "Waiting for dependencies of unit 'claude' to be satisfied...",
        "Waiting for: git (not registered)",
        'Unit "claude" waited for: [git]',
        "claude runs",
    ]


async def test_scripts_and_sessions_learn_where_it_is(
    plane: ControlPlane, start: Start, path: str, home: Path
) -> None:
    plane.manifest = manifest_of(scripts=(script_of("echo $CODER_AGENT_SOCKET_PATH"),))
    running = await start(
        socket_paths=(path,), env={"CODER_AGENT_SOCKET_PATH": "/outer", "HOME": str(home)}
    )
    await plane.until(plane.lines)
    assert plane.lines() == [path]
    assert running.agent.environment.build()["CODER_AGENT_SOCKET_PATH"] == path


async def test_without_a_socket_nobody_is_sent_to_the_one_of_an_outer_agent(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    plane.manifest = manifest_of(scripts=(script_of("echo [$CODER_AGENT_SOCKET_PATH]"),))
    await start(socket_paths=(), env={"CODER_AGENT_SOCKET_PATH": "/outer", "HOME": str(home)})
    await plane.until(plane.lines)
    assert plane.lines() == ["[]"]


async def test_an_agent_that_starts_anew_has_forgotten_all_units(
    plane: ControlPlane, start: Start, path: str
) -> None:
    for _ in range(2):
        running = await start(socket_paths=(path,))
        await plane.until(lambda: plane.states[-1:] == ["ready"])
        assert await ask(path, "GET", "/api/v0/sync/list") == (200, {"units": []})
        assert (await ask(path, "POST", "/api/v0/sync/start", {"unit": "a"}))[0] == 200
        await running.stop()
        assert not Path(path).exists()  # noqa: ASYNC240 - a look


async def test_units_outlive_a_lost_line(plane: ControlPlane, start: Start, path: str) -> None:
    await start(socket_paths=(path,))
    await plane.until(lambda: plane.states[-1:] == ["ready"])
    await ask(path, "POST", "/api/v0/sync/start", {"unit": "a"})
    await plane.drop()
    await plane.until(lambda: len(plane.called(Method.STARTUP)) == 2)
    _, answer = await ask(path, "GET", "/api/v0/sync/list")
    assert answer["units"] == [{"unit_name": "a", "status": "started", "is_ready": True}]


async def test_stop_scripts_may_still_order_themselves(
    plane: ControlPlane, start: Start, path: str
) -> None:
    words = "coder exp sync want last first; coder exp sync start last && echo last"
    last = script_of(words, run_on_start=False, run_on_stop=True)
    first = script_of(
        "coder exp sync start first; echo first; coder exp sync complete first",
        run_on_start=False,
        run_on_stop=True,
    )
    plane.manifest = manifest_of(scripts=(last, first))
    running = await start(socket_paths=(path,), executable=CODER)
    await plane.until(lambda: plane.states[-1:] == ["ready"])
    await running.stop()
    assert plane.states[-1] == "off"
    assert "last" in plane.lines(last.log_source_id)


async def test_an_apps_status_goes_over_the_line(
    plane: ControlPlane, start: Start, path: str
) -> None:
    """Seed: UpdateAppStatus is forwarded over the connection that the agent maintains."""
    await start(socket_paths=(path,))
    await plane.until(lambda: plane.states[-1:] == ["ready"])
    assert await ask(path, "PATCH", "/api/v0/app-status", BODY) == (200, {})
    assert plane.called(Method.APP_STATUS) == [BODY]

    def refuse(_: Json) -> Json:
        raise LookupError("Failed to get workspace app.")

    plane.answers[Method.APP_STATUS] = refuse
    status, answer = await ask(path, "PATCH", "/api/v0/app-status", BODY)
    assert (status, "Failed to get workspace app." in answer["message"]) == (400, True)


async def test_an_apps_status_without_a_line_is_refused_and_may_be_said_again(
    plane: ControlPlane, start: Start, path: str
) -> None:
    port = int(plane.url.rpartition(":")[2])
    await start(socket_paths=(path,))
    await plane.until(lambda: plane.states[-1:] == ["ready"])
    await plane.stop()
    status, answer = await ask(path, "PATCH", "/api/v0/app-status", BODY)
    assert (status, "not connected to the server" in answer["message"]) == (503, True)
    await plane.start(port)
    await plane.until(lambda: len(plane.called(Method.STARTUP)) == 2)
    assert await ask(path, "PATCH", "/api/v0/app-status", BODY) == (200, {})


async def test_the_socket_is_there_before_the_server_is(
    plane: ControlPlane, start: Start, path: str
) -> None:
    await plane.stop()
    running = await start(socket_paths=(path,))
    await until(lambda: Path(path).exists())
    assert await ask(path, "GET", "/api/v0/ping") == (200, {})
    await running.stop()
