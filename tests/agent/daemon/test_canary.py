"""Nothing that may be a secret is ever logged: a canary in every such field, at debug level."""

import logging
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import App, AppHealth, Healthcheck, MetadataSource, Method, Secret
from tests.agent.conftest import Start
from tests.agent.control_plane import TOKEN, ControlPlane, manifest_of, script_of

CANARY = "c4n4ry"


def full_of_canaries() -> api.Manifest:
    """Return a manifest of which every part fails as loudly as it can."""
    check = Healthcheck(f"http://user:{CANARY}@127.0.0.1:9/{CANARY}?token={CANARY}", 0.1, 1)
    sick = App(
        uuid4(),
        "web",
        url=f"http://127.0.0.1:9/?token={CANARY}",
        command=f"serve --password {CANARY}",
        healthcheck=check,
        health=AppHealth.INITIALIZING,
    )
    return manifest_of(
        environment_variables={"PASSWORD": CANARY, "NUL": f"{CANARY}"},
        secrets=(
            Secret(CANARY, env_name="KEY"),
            Secret(CANARY, file_path="/proc/no/such"),
            Secret(CANARY, file_path="~/.key"),
        ),
        scripts=(
            script_of(f"false {CANARY}"),
            script_of(f"#!/no/such/interpreter {CANARY}"),
            script_of(f"sleep 60 # {CANARY}", timeout=0.1),
            script_of(f"true {CANARY}", run_on_start=False, cron="* * * * * *"),
            script_of(f"false {CANARY}", run_on_start=False, run_on_stop=True),
        ),
        apps=(sick, replace(sick, id=uuid4(), slug="worse", healthcheck=Healthcheck(CANARY, 1, 1))),
        metadata=(
            MetadataSource("fails", f"echo {CANARY}; exit 1", interval=1),
            MetadataSource("odd", f"\0{CANARY}", interval=1),
        ),
    )


async def test_nothing_of_the_manifest_is_logged_at_debug_level(
    plane: ControlPlane, start: Start, caplog: pytest.LogCaptureFixture, home: Path
) -> None:
    """Seed: a log field could expose what the manifest passes to the agent."""
    caplog.set_level(logging.DEBUG)
    plane.manifest = full_of_canaries()
    running = await start(headers={"X-Proxy-Secret": CANARY})
    await plane.until(lambda: "start_timeout" in plane.states)
    await plane.until(lambda: plane.called(Method.APP_HEALTHS) and plane.called(Method.METADATA))
    await plane.until(lambda: len(plane.called(Method.SCRIPT_COMPLETED)) > 3)

    def refuse(_: api.Json) -> api.Json:
        raise LookupError("no")

    for method in (Method.METADATA, Method.APP_HEALTHS, Method.LOGS, Method.STATS):
        plane.answers[method] = refuse
    await plane.drop()
    await plane.until(lambda: len(plane.called(Method.STARTUP)) == 2)
    await running.stop()
    assert (home / ".key").read_text() == CANARY
    assert "lifecycle: shutdown_error" in caplog.text
    assert_no_secret(caplog)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agent_id", CANARY),
        ("environment_variables", {"PASSWORD": {"nested": CANARY}}),
        ("environment_variables", CANARY),
        ("scripts", [{"script": CANARY}]),
        ("secrets", [{"value": 5, "env_name": CANARY}]),
        ("apps", [CANARY]),
    ],
)
async def test_a_manifest_that_cannot_be_read_is_not_quoted(
    plane: ControlPlane,
    start: Start,
    caplog: pytest.LogCaptureFixture,
    field: str,
    value: object,
) -> None:
    caplog.set_level(logging.DEBUG)
    plane.answers[Method.MANIFEST] = lambda _: {**api.to_json(full_of_canaries()), field: value}
    await start()
    await plane.until(lambda: plane.connections == 2)
    assert f"Manifest.{field}" in caplog.text
    assert_no_secret(caplog)


def test_shapes_that_hold_secrets_do_not_show_them() -> None:
    manifest = full_of_canaries()
    assert CANARY not in repr(manifest)
    assert CANARY not in repr(manifest.secrets)
    assert CANARY not in repr(manifest.scripts)
    assert CANARY not in repr(manifest.metadata)
    assert CANARY not in repr(manifest.apps)


def assert_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    # The test's own server lives in this process, and is as talkative as was asked for.
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert ours
    for record in ours:
        said = logging.Formatter().format(record)
        assert CANARY not in said
        assert TOKEN not in said
