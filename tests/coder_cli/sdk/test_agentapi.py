"""The shapes of the agent line survive the wire, and say clearly when they do not fit."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from coder_cli.sdk import agentapi as api

NOW = datetime(2026, 11, 21, 12, 30, 1, 250000, tzinfo=UTC)
MANIFEST = api.Manifest(
    agent_id=uuid4(),
    workspace_id=uuid4(),
    agent_name="main",
    workspace_name="dev",
    owner_username="alice",
    environment_variables={"TOKEN": "hush"},
    derp_map={"regions": []},
    scripts=(api.Script(id=uuid4(), log_source_id=uuid4(), script="echo hush", timeout=1.5),),
    apps=(api.App(id=uuid4(), slug="ide", health=api.AppHealth.HEALTHY),),
    devcontainers=(api.Devcontainer(id=uuid4(), workspace_folder="/w"),),
    parent_id=uuid4(),
    secrets=(api.Secret(value="hush", env_name="S"),),
)
SHAPES: list[object] = [
    MANIFEST,
    api.Startup("v1", "/home/a", ("envbox",), "ssh-ed25519 AAAA"),
    api.Lifecycle(api.LifecycleState.READY, NOW),
    api.Logs(uuid4(), (api.LogLine(NOW, "hé\n", api.LogLevel.ERROR),)),
    api.LogsStored(log_limit_exceeded=True),
    api.ScriptTiming(uuid4(), NOW, NOW, 255, api.ScriptStage.STOP, api.ScriptStatus.TIMED_OUT),
    api.ConnectionReport(uuid4(), api.ConnectionAction.CONNECT, api.ConnectionType.SSH, NOW),
    api.Stats(connections_by_proto={"TCP": 2}, connection_median_latency_ms=0.25),
    api.MetadataUpdate((api.MetadataValue("cpu", api.MetadataResult(NOW, value="1%")),)),
    api.AppHealths((api.AppHealthUpdate(uuid4(), api.AppHealth.UNHEALTHY),)),
    api.Banners((api.Banner(enabled=True, message="hi"),)),
    api.Open("ab.cd", 22),
    api.Empty(),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_every_shape_survives_the_wire(shape: object) -> None:
    assert api.from_json(type(shape), json.loads(json.dumps(api.to_json(shape)))) == shape


def test_times_are_written_in_utc_with_a_z() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=2)))
    assert api.to_json(east) == "2026-11-21T12:30:01.250000Z"
    assert api.from_json(
        api.Lifecycle, {"state": "off", "changed_at": "2026-11-21T13:30:01.25+01:00"}
    ) == api.Lifecycle(api.LifecycleState.OFF, NOW)


def test_unknown_keys_are_ignored_and_absent_ones_have_defaults() -> None:
    assert api.from_json(api.Startup, {"version": "v9", "colour": "red"}) == api.Startup("v9")


def test_null_is_an_empty_list() -> None:
    assert api.from_json(api.Banners, {"banners": None}) == api.Banners()


@pytest.mark.parametrize(
    ("shape", "body", "sentence"),
    [
        (api.Open, {"stream_id": "x"}, "Open.port is missing"),
        (api.Open, {"stream_id": "x", "port": "22"}, "Open.port must be int, not str"),
        (api.Open, {"stream_id": "x", "port": True}, "Open.port must be int, not bool"),
        (api.Open, [], "Open must be an object"),
        (api.Banners, {"banners": {}}, "Banners.banners must be a list"),
        (api.Banners, {"banners": [3]}, "Banners.banners[0] must be an object"),
        (
            api.AppHealths,
            {"updates": [{"id": "no", "health": "healthy"}]},
            "AppHealths.updates[0].id is not a UUID",
        ),
        (
            api.Lifecycle,
            {"state": "gone", "changed_at": "2026-01-01T00:00:00Z"},
            "Lifecycle.state is not a AgentLifecycle",
        ),
        (api.Stats, {"connections_by_proto": []}, "Stats.connections_by_proto must be an object"),
    ],
)
def test_a_bad_body_is_refused_with_its_place(
    shape: type[object], body: object, sentence: str
) -> None:
    with pytest.raises(api.BadShape) as refusal:
        api.from_json(shape, body)
    assert str(refusal.value) == sentence


def test_the_manifest_may_be_printed_without_its_secrets() -> None:
    assert "hush" not in repr(MANIFEST)


@pytest.mark.parametrize(
    "message",
    [
        api.Request("open", {"stream_id": "a", "port": 1}, 7),
        api.Request("ping", {}),
        api.Result(7, {"ok": True}),
        api.Result(7, None),
        api.Failure(None, api.ErrorCode.PARSE, "what?"),
    ],
)
def test_every_message_survives_the_wire(message: api.Message) -> None:
    assert api.decode(api.encode(message)) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"jsonrpc":"1.0","method":"ping"}',
        '{"jsonrpc":"2.0","method":"ping","params":[1]}',
        '{"jsonrpc":"2.0","id":1}',
        b"\xff\xfe",
    ],
)
def test_anything_else_is_no_message(text: str | bytes) -> None:
    with pytest.raises(api.BadShape):
        api.decode(text)


def test_ids_keep_their_kind() -> None:
    assert api.decode('{"jsonrpc":"2.0","id":"x","result":1}') == api.Result("x", 1)
    assert isinstance(MANIFEST.agent_id, UUID)
