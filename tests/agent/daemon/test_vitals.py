"""A whole agent measures its workspace, and nothing of that is in the way of its life."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from coder_cli.sdk.agentapi import (
    App,
    AppHealth,
    Healthcheck,
    Json,
    MetadataSource,
    Method,
)
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane, manifest_of, script_of


def values(plane: ControlPlane) -> dict[str, str]:
    return {
        item["key"]: item["result"]["value"] or item["result"]["error"]
        for report in plane.called(Method.METADATA)
        for item in report["metadata"]
    }


async def test_values_are_collected_in_the_workspaces_environment(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    plane.manifest = manifest_of(
        metadata=(
            MetadataSource("where", 'echo "$PWD $CODER_WORKSPACE_NAME $GREETING"', interval=1),
            MetadataSource("python", "#!/usr/bin/env python3\nprint(6 * 7)", timeout=10),
            MetadataSource("late", "sleep 60", timeout=0.2),
        ),
        environment_variables={"GREETING": "hello"},
    )
    await start()
    await plane.until(lambda: len(values(plane)) == 3)
    assert values(plane) == {
        "where": f"{home} dev hello",
        "python": "42",
        "late": "run cmd: the script ran longer than 0.2 s",
    }


async def test_values_are_collected_while_start_scripts_still_run(
    plane: ControlPlane, start: Start
) -> None:
    plane.manifest = manifest_of(
        scripts=(script_of("sleep 600"),), metadata=(MetadataSource("cpu", "echo 1", interval=1),)
    )
    await start()
    await plane.until(lambda: values(plane))
    assert plane.states == ["starting"]


async def test_an_app_that_answers_is_told_to_be_healthy(plane: ControlPlane, start: Start) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 204 Fine\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    check = Healthcheck(url, 0.1, 3)
    app = App(uuid4(), "web", healthcheck=check, health=AppHealth.INITIALIZING)
    plane.manifest = manifest_of(apps=(app,))
    await start()
    await plane.until(lambda: plane.called(Method.APP_HEALTHS))
    assert plane.called(Method.APP_HEALTHS)[0]["updates"] == [
        {"id": str(app.id), "health": "healthy"}
    ]
    server.close()


async def test_memory_and_volumes_are_told_as_the_server_wants(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    plane.answers[Method.MONITORING] = lambda _: {
        "config": {"num_datapoints": 1, "collection_interval_seconds": 1},
        "memory": {"enabled": True},
        "volumes": [{"path": str(home), "enabled": True}],
    }
    await start()
    await plane.until(lambda: plane.called(Method.USAGE))
    (point,) = plane.called(Method.USAGE)[0]["datapoints"]
    assert 0 < point["memory"]["used"] < point["memory"]["total"]
    assert point["volumes"][0]["volume"] == str(home)


async def test_times_are_kept_after_the_start_scripts_and_not_in_the_shutdown(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    begin = script_of(f"while [ ! -e {gate} ]; do sleep 0.02; done; echo started")
    tick = script_of("echo tick", run_on_start=False, cron="* * * * * *")
    stop = script_of("sleep 1.5; echo stopped", run_on_start=False, run_on_stop=True)
    clock = MetadataSource("clock", "date +%s", interval=1)
    plane.manifest = manifest_of(scripts=(begin, tick, stop), metadata=(clock,))
    running = await start()
    # Times have come, and are not kept: the start is not over.
    await plane.until(lambda: len(plane.called(Method.METADATA)) == 3)
    gate.touch()
    await plane.until(lambda: "tick" in plane.lines())
    await running.stop()
    assert plane.lines()[0] == "started"
    assert plane.lines()[-1] == "stopped"
    stages = [timing["stage"] for timing in plane.called(Method.SCRIPT_COMPLETED)]
    assert (stages[0], set(stages[1:-1]), stages[-1]) == ("start", {"cron"}, "stop")
    assert "ready" in plane.states


@pytest.mark.parametrize("how", ["refused", "broken"])
async def test_a_value_whose_call_fails_in_the_shutdown_does_not_say_it_twice(
    plane: ControlPlane, start: Start, how: str
) -> None:
    """Seed: a call that ends in EOF during a graceful shutdown does not tear the line down."""

    def fail(_: Json) -> Json:
        raise LookupError("EOF") if how == "refused" else ConnectionResetError

    stop = script_of("sleep 1.2; echo bye", run_on_start=False, run_on_stop=True)
    metadata = (MetadataSource("cpu", "date +%N", interval=1),)
    plane.manifest = manifest_of(scripts=(stop,), metadata=metadata)
    running = await start()
    await plane.until(lambda: values(plane) and "ready" in plane.states)
    for method in (Method.METADATA, Method.STATS, Method.APP_HEALTHS, Method.USAGE):
        plane.answers[method] = fail
    before = plane.connections
    await running.stop()
    assert plane.states == ["starting", "ready", "shutting_down", "off"]
    assert plane.lines() == ["bye"]
    assert plane.connections - before <= (how == "broken")
