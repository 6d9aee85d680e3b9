"""An agent's life as its server hears it."""

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from coder_cli.sdk.agentapi import Method, ScriptStage, Secret
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of, script_of


async def test_an_agent_without_scripts_is_ready_and_off(plane: ControlPlane, start: Start) -> None:
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    await running.stop()
    assert plane.states == ["starting", "ready", "shutting_down", "off"]


async def test_who_the_agent_is(plane: ControlPlane, start: Start, home: object) -> None:
    await start(subsystems=("envbox",))
    await plane.until(lambda: plane.called(Method.STARTUP))
    (startup,) = plane.called(Method.STARTUP)
    assert startup["version"].startswith("v")
    assert startup["expanded_directory"] == str(home)
    assert startup["subsystems"] == ["envbox"]
    assert startup["host_key"].startswith("ssh-ed25519 ")


async def test_the_host_key_is_the_same_after_a_restart(plane: ControlPlane, start: Start) -> None:
    for _ in range(2):
        running = await start()
        await plane.until(lambda: plane.states[-1:] == ["ready"])
        await running.stop()
    first, second = plane.called(Method.STARTUP)
    assert first["host_key"] == second["host_key"]


@pytest.mark.parametrize(
    ("script", "timeout", "state"),
    [("exit 0", 0, "ready"), ("exit 1", 0, "start_error"), ("sleep 60", 0.1, "start_timeout")],
)
async def test_start_scripts_decide_how_the_start_went(
    plane: ControlPlane, start: Start, script: str, timeout: float, state: str
) -> None:
    plane.manifest = manifest_of(scripts=(script_of(script, timeout=timeout),))
    await start()
    await plane.until(lambda: len(plane.states) == 2)
    assert plane.states == ["starting", state]


@pytest.mark.parametrize(
    ("script", "timeout", "state"),
    [("exit 0", 0, "off"), ("exit 1", 0, "shutdown_error"), ("sleep 60", 0.1, "shutdown_timeout")],
)
async def test_stop_scripts_decide_how_the_end_went_and_their_logs_arrive(
    plane: ControlPlane, start: Start, script: str, timeout: float, state: str
) -> None:
    stop = script_of(
        f"echo good-bye; {script}", run_on_start=False, run_on_stop=True, timeout=timeout
    )
    plane.manifest = manifest_of(scripts=(stop,))
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    await running.stop()
    assert plane.states == ["starting", "ready", "shutting_down", state]
    assert plane.lines(stop.log_source_id)[0] == "good-bye"
    (timing,) = plane.called(Method.SCRIPT_COMPLETED)
    assert (timing["stage"], timing["script_id"]) == (ScriptStage.STOP, str(stop.id))


async def test_script_logs_are_streamed_per_source_from_the_first_byte(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    wait = f"while [ ! -e {gate} ]; do sleep 0.02; done"
    loud, calm = script_of(f"echo first; echo bad >&2; {wait}"), script_of("echo calm")
    plane.manifest = manifest_of(scripts=(loud, calm))
    await start()
    await plane.until(lambda: "first" in plane.lines(loud.log_source_id))
    assert plane.states == ["starting"]
    await plane.until(lambda: "calm" in plane.lines(calm.log_source_id))
    gate.touch()
    await plane.until(lambda: "ready" in plane.states)
    levels = {
        line["output"]: line["level"]
        for batch in plane.called(Method.LOGS)
        for line in batch["logs"]
    }
    assert levels == {"first": "info", "bad": "error", "calm": "info"}


async def test_a_reconnect_refreshes_the_manifest_and_runs_nothing_again(
    plane: ControlPlane, start: Start
) -> None:
    plane.manifest = manifest_of(scripts=(script_of("echo once"),))
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    plane.manifest = replace(plane.manifest, workspace_name="renamed")
    await plane.drop()
    await plane.until(lambda: len(plane.called(Method.STARTUP)) == 2)
    environment = running.agent.environment
    assert environment.build()["CODER_WORKSPACE_NAME"] == "renamed"
    await running.stop()
    assert plane.states == ["starting", "ready", "shutting_down", "off"]
    assert plane.lines() == ["once"]


async def test_an_agent_outlives_any_number_of_server_restarts(
    plane: ControlPlane, start: Start
) -> None:
    await start()
    port = int(plane.url.rpartition(":")[2])
    for restart in range(1, 4):
        await plane.until(lambda restart=restart: len(plane.called(Method.STARTUP)) == restart)
        await plane.stop()
        await plane.start(port)
    await plane.until(lambda: len(plane.called(Method.STARTUP)) == 4)
    assert plane.states == ["starting", "ready"]


async def test_a_server_that_comes_late_is_waited_for(plane: ControlPlane, start: Start) -> None:
    port = int(plane.url.rpartition(":")[2])
    await plane.stop()
    await start()
    await plane.start(port)
    await plane.until(lambda: "ready" in plane.states)


async def test_a_manifest_without_an_agent_is_an_error(
    plane: ControlPlane, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    plane.manifest = manifest_of(agent_id=UUID(int=0))
    await start()
    await plane.until(lambda: plane.connections == 2)
    assert plane.states == []
    assert "the manifest names no agent" in caplog.text
    plane.manifest = manifest_of()
    await plane.until(lambda: "ready" in plane.states)


async def test_the_manifest_is_never_logged(
    plane: ControlPlane, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Seed: a log field could expose what the manifest passes to the agent."""
    caplog.set_level(logging.DEBUG, "agent")
    plane.manifest = manifest_of(
        environment_variables={"KEY": "hush-1"},
        secrets=(Secret("hush-2", env_name="S"),),
        scripts=(script_of("true # hush-3"),),
    )
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    await running.stop()
    assert caplog.text
    assert "hush" not in caplog.text


async def test_secrets_that_are_files_are_there_before_the_start_scripts(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    secrets = (
        Secret("hush", file_path="~/.config/app/key"),
        Secret("lost", file_path="/proc/no/such"),
    )
    plane.manifest = manifest_of(secrets=secrets, scripts=(script_of("cat ~/.config/app/key"),))
    await start()
    await plane.until(lambda: "ready" in plane.states)
    assert plane.lines() == ["hush"]
    assert (home / ".config" / "app" / "key").stat().st_mode & 0o777 == 0o600


async def test_a_method_that_an_old_server_does_not_know_is_no_disaster(
    plane: ControlPlane, start: Start
) -> None:
    def unknown(_: object) -> object:
        raise LookupError("unknown method")

    for method in (Method.BANNERS, Method.STATS, Method.CONNECTION, Method.SCRIPT_COMPLETED):
        plane.answers[method] = unknown
    plane.manifest = manifest_of(scripts=(script_of("true"),))
    running = await start()
    await plane.until(lambda: "ready" in plane.states)
    await running.stop()
    assert plane.connections == 1
    assert Counter(plane.states)["off"] == 1
