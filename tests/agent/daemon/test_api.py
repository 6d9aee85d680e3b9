"""Port 4 of an agent: its HTTP API."""

import json
from pathlib import Path

import pytest

from agent.daemon import debug
from agent.kit.logs import FILE_NAME
from coder_cli.sdk.agentapi import App, MetadataSource, Secret
from tests.agent.apiclient import ApiClient
from tests.agent.conftest import Start
from tests.agent.control_plane import TOKEN, ControlPlane, manifest_of, script_of

CANARY = "canary-7c1e"


async def test_the_agent_says_hello(plane: ControlPlane, start: Start) -> None:
    await start()
    await plane.until(lambda: "ready" in plane.states)
    api = ApiClient(plane)
    assert await api.get("/") == (200, {"message": "Hello from the agent!"})
    assert (await api.get("/nowhere"))[0] == 404
    assert (await api.post("/", {}))[0] == 405


async def test_what_is_told_of_the_manifest_is_no_secret(plane: ControlPlane, start: Start) -> None:
    app = App(manifest_of().agent_id, "web", url=f"http://x/?{CANARY}", command=CANARY)
    plane.manifest = manifest_of(
        environment_variables={"API_KEY": CANARY},
        secrets=(Secret(CANARY, env_name="OTHER_KEY"),),
        scripts=(script_of(f"true # {CANARY}", display_name="setup"),),
        apps=(app,),
        metadata=(MetadataSource("load", f"true # {CANARY}"),),
    )
    await start()
    await plane.until(lambda: "ready" in plane.states)
    status, told = await ApiClient(plane).get("/debug/manifest")
    assert status == 200
    assert (told["environment_variables"], told["secrets"]) == (["API_KEY"], ["OTHER_KEY"])
    assert (told["scripts"], told["apps"], told["metadata"]) == (["setup"], ["web"], ["load"])
    assert not {CANARY, TOKEN} & set(json.dumps(told).split('"'))
    assert CANARY not in json.dumps(told)


async def test_the_end_of_the_log_is_told_oldest_first(
    plane: ControlPlane, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / FILE_NAME).write_text("newest\n")
    (logs / f"{FILE_NAME}.1").write_text("older\nnewer\n")
    (logs / f"{FILE_NAME}.2").write_text("oldest\n")
    await start()
    await plane.until(lambda: "ready" in plane.states)
    api = ApiClient(plane)
    everything = b"oldest\nolder\nnewer\nnewest\n"
    assert await api.ask("GET", "/debug/logs") == (200, everything)
    monkeypatch.setattr(debug, "MOST_LOGS", 15)
    assert await api.ask("GET", "/debug/logs") == (200, b"newer\nnewest\n")


@pytest.mark.parametrize("blocked", [False, True])
async def test_a_policy_against_file_transfer_holds_here_too(
    plane: ControlPlane, start: Start, home: Path, blocked: bool
) -> None:
    await start(block_file_transfer=blocked)
    await plane.until(lambda: "ready" in plane.states)
    api = ApiClient(plane)
    status, _ = await api.post(f"/api/v0/write-file?path={home}/a", b"x")
    assert (status, (home / "a").exists()) == ((403, False) if blocked else (200, True))


async def test_processes_go_with_the_agent_and_not_with_the_line(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    api = ApiClient(plane)
    command = f"trap 'echo bye > {home}/bye; exit' HUP; echo hi; while :; do sleep 0.05; done"
    _, started = await api.post("/api/v0/processes/start", {"command": command})
    at = f"/api/v0/processes/{started['id']}/output"
    connections = plane.connections
    await plane.drop()
    await plane.until(lambda: plane.connections > connections)
    output = {"output": "", "running": True}
    while not output["output"]:
        _, output = await api.get(at)
    assert output == {"output": "hi\n", "running": True}
    await running.stop()
    assert (home / "bye").read_text() == "bye\n"
