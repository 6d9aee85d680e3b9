"""The control line: who gets one, in which role, and what is said over it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import InvalidStatus

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Method
from server.agents.model.texts import MAX_LOG_BYTES
from server.kit.authz import as_system
from tests.server.agents.house import House, Replica, ScriptedAgent, scripted
from tests.server.agents.rows import AgentRows, add_agent_to, add_build, complete

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RPC = "/workspaceagents/me/rpc"


async def refused(replica: Replica, path: str, token: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refusal:
        await replica.socket(path, token)
    response = refusal.value.response
    return response.status_code, (response.body or b"").decode()


async def rows(house: House, sql: Any, **args: Any) -> list[dict[str, Any]]:
    async with house.database.tx(as_system("test")) as tx:
        return await tx.rows(sql, args)


async def test_an_unknown_version_is_refused_in_the_words_clients_know(
    replica: Replica, agent: AgentRows
) -> None:
    status, body = await refused(replica, f"{RPC}?version=9.0", agent.token)
    assert status == 400
    assert "Unknown or unsupported API version" in body


async def test_an_unknown_token_is_refused(replica: Replica) -> None:
    for token in (str(uuid4()), "nonsense", ""):
        status, body = await refused(replica, f"{RPC}?version=2.0", token)
        assert status == 401
        assert "Workspace agent not authorized." in body


async def test_a_users_token_opens_nothing_of_agents(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    status, _ = await refused(replica, RPC, house.token)
    assert status == 401


async def test_an_agents_token_opens_nothing_of_users(replica: Replica, agent: AgentRows) -> None:
    answer = await replica.request("GET", f"/workspaceagents/{agent.id}", agent.token)
    assert answer.status_code == 401


async def test_an_agent_of_an_old_build_is_refused(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    await add_build(house.database, agent)
    status, body = await refused(replica, RPC, agent.token)
    assert status == 403
    assert "Agent trying to connect from non-latest build." in body


async def test_an_agent_may_say_its_last_words_while_its_stop_is_under_way(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    job = await add_build(house.database, agent, "stop", completed=False)
    async with scripted(replica, agent) as line:
        said = api.Lifecycle(api.LifecycleState.SHUTTING_DOWN, NOW)
        await line.call(Method.LIFECYCLE, said)
    await complete(house.database, job)
    assert (await refused(replica, RPC, agent.token))[0] == 403


async def test_the_line_is_closed_when_a_newer_build_exists(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    from server.workspaces import WorkspaceChanged

    async with scripted(replica, agent) as line:
        await add_build(house.database, agent)
        async with house.database.tx(as_system("test")) as tx:
            changed = WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=house.alice)
            await tx.announce(changed)
        await asyncio.wait_for(line.line.wait_closed(), 10)
        assert line.line.close_code == 4403


async def test_a_kept_token_means_the_agent_of_the_newest_build(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    job = await add_build(house.database, agent)
    newer = await add_agent_to(house.database, agent, job, agent.token)
    async with scripted(replica, newer) as line:
        assert (await line.call(Method.MANIFEST))["agent_id"] == str(newer.id)


async def test_an_agent_that_comes_before_its_row_is_kept_waiting_not_refused(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    token = str(uuid4())
    job = await add_build(house.database, agent, completed=False)
    arriving = asyncio.create_task(replica.socket(RPC, token).__aenter__())
    await asyncio.sleep(0.1)
    assert not arriving.done()
    from server.workspaces import BuildFinished

    await add_agent_to(house.database, agent, job, token)
    await complete(house.database, job)
    async with house.database.tx(as_system("test")) as tx:
        await tx.announce(
            BuildFinished(workspace_id=agent.workspace_id, owner_id=house.alice, build_id=uuid4())
        )
    line = await asyncio.wait_for(arriving, 5)
    await line.close()


@pytest.mark.parametrize("role", ["agent", None])
async def test_role_agent_or_omitted_triggers_connection_monitoring(
    house: House, replica: Replica, agent: AgentRows, role: str | None
) -> None:
    async with scripted(replica, agent, role=role):
        row = await house.row(agent)
        assert row["first_connected_at"] is not None
        assert row["api_version"] == "2.0"


async def test_any_other_role_never_touches_the_connection_times(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent, role="logstream-kube") as line:
        logs = api.Logs(agent.source_id, (api.LogLine(NOW, "from outside"),))
        assert await line.call(Method.LOGS, logs) == {"log_limit_exceeded": False}
        await replica.board.beat()
    row = await house.row(agent)
    assert row["first_connected_at"] is None
    assert row["last_connected_at"] is None
    assert row["disconnected_at"] is None
    assert row["connection_id"] is None


async def test_another_role_does_not_disturb_the_agents_own_line(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent):
        before = await house.row(agent)
        async with scripted(replica, agent, role="logstream-kube"):
            pass
        after = await house.row(agent)
        assert after == before
        async with replica.stream(agent, 22, house.token) as stream:
            await stream.send(b"still there")
            assert await stream.recv() == b"still there"


async def test_the_manifest_names_dev_containers(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    container = uuid4()
    async with house.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            INSERT INTO workspace_agent_devcontainers
                   (id, workspace_agent_id, name, workspace_folder, config_path, created_at)
            VALUES (%(id)s, %(agent)s, 'dev', '/src', 'a.json', %(now)s)
            """,
            {"id": container, "agent": agent.id, "now": tx.now},
        )
    async with scripted(replica, agent) as line:
        manifest = api.from_json(api.Manifest, await line.call(Method.MANIFEST))
    [found] = manifest.devcontainers
    assert (found.id, found.name) == (container, "dev")
    assert (found.workspace_folder, found.config_path) == ("/src", "a.json")


async def test_the_manifest_tells_the_agent_all_about_itself(
    replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        manifest = api.from_json(api.Manifest, await line.call(Method.MANIFEST))
    assert manifest.agent_id == agent.id
    assert manifest.workspace_id == agent.workspace_id
    assert (manifest.owner_username, manifest.workspace_name) == ("alice", "dev")
    assert manifest.environment_variables == {"GREETING": "hello"}
    assert (manifest.directory, manifest.motd_path) == ("~/src", "/etc/motd")
    assert manifest.disable_direct_connections
    assert manifest.vs_code_port_proxy_uri == "https://{{port}}--main--dev--alice.coder.test"
    [script] = manifest.scripts
    assert (script.id, script.log_source_id) == (agent.script_id, agent.source_id)
    assert (script.script, script.timeout, script.run_on_start) == ("echo hi", 90, True)
    [app] = manifest.apps
    assert (app.slug, app.health) == ("web", api.AppHealth.INITIALIZING)
    assert app.subdomain_name == "web--main--dev--alice"
    [metadata] = manifest.metadata
    assert (metadata.key, metadata.interval, metadata.timeout) == ("cpu", 10, 1)


async def test_startup_is_kept_with_the_host_key(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        key = "ssh-ed25519 AAAAC3 alice@dev"
        said = api.Startup("v1.2.3", "/home/alice/src", ("envbox", "nonsense"), key)
        await line.call(Method.STARTUP, said)
    row = await house.row(agent)
    assert row["version"] == "v1.2.3"
    assert row["expanded_directory"] == "/home/alice/src"
    assert row["subsystems"] == ["envbox"]
    answer = await replica.request("GET", f"/workspaceagents/{agent.id}/connection", house.token)
    assert answer.json() == {
        "derp_map": None,
        "derp_force_websockets": False,
        "disable_direct_connections": True,
        "hostname_suffix": "coder",
        "host_key": "ssh-ed25519 AAAAC3",
    }


async def test_lifecycle_goes_one_way_and_keeps_its_times(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    states = api.LifecycleState
    async with scripted(replica, agent) as line:
        for seconds, state in enumerate((states.STARTING, states.READY, states.START_ERROR)):
            at = NOW + timedelta(seconds=seconds)
            await line.call(Method.LIFECYCLE, api.Lifecycle(state, at))
    row = await house.row(agent)
    assert row["lifecycle_state"] == "ready"
    assert (row["started_at"], row["ready_at"]) == (NOW, NOW + timedelta(seconds=1))


async def test_shutting_down_twice_is_told_once(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    said = api.Lifecycle(api.LifecycleState.SHUTTING_DOWN, NOW)
    with replica.board.pubsub.mailbox(f"workspace:{agent.workspace_id}") as box:
        async with scripted(replica, agent) as line:
            assert await house.told(box, agent) == 1  # that it is connected
            await line.call(Method.LIFECYCLE, said)
            await line.call(Method.LIFECYCLE, said)
            assert await house.told(box, agent) == 1


async def test_logs_are_kept_by_source_with_nul_stripped_and_odd_levels_as_info(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        lines = [
            {"created_at": "2026-05-01T12:00:00Z", "output": "one\x00", "level": "error"},
            {"created_at": "2026-05-01T12:00:00Z", "output": "two\ud800", "level": "shouting"},
        ]
        stored = await line.call(Method.LOGS, log_source_id=str(agent.source_id), logs=lines)
        assert stored == {"log_limit_exceeded": False}
    kept = await rows(house, "SELECT * FROM workspace_agent_logs ORDER BY id")
    assert [(r["output"], r["level"]) for r in kept] == [("one", "error"), ("two?", "info")]
    assert (await house.row(agent))["logs_length"] == 9


async def test_lines_without_a_source_are_external(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    stranger = uuid4()
    async with scripted(replica, agent) as line:
        for source in (UUID(int=0), stranger):
            await line.call(Method.LOGS, api.Logs(source, (api.LogLine(NOW, "hi"),)))
    sources = await rows(
        house, "SELECT * FROM workspace_agent_log_sources WHERE display_name = 'External'"
    )
    ids = {source["id"] for source in sources}
    assert ids == {UUID("3b579bf4-1ed8-4b99-87a8-e9a1e3410410"), stranger}
    assert {source["icon"] for source in sources} == {"/emojis/1f310.png"}


async def test_logs_over_the_limit_are_cut_and_the_agent_is_told(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    big = api.LogLine(NOW, "x" * 400_000)
    async with scripted(replica, agent) as line:
        logs = api.Logs(agent.source_id, (big, big, big))
        assert await line.call(Method.LOGS, logs) == {"log_limit_exceeded": True}
        more = api.Logs(agent.source_id, (api.LogLine(NOW, "more"),))
        assert await line.call(Method.LOGS, more) == {"log_limit_exceeded": True}
    row = await house.row(agent)
    assert (row["logs_length"], row["logs_overflowed"]) == (800_002, True)
    assert row["logs_length"] <= MAX_LOG_BYTES
    assert len(await rows(house, "SELECT id FROM workspace_agent_logs")) == 2


async def test_runs_of_scripts_are_kept_once_and_only_the_agents_own(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    def timing(script_id: UUID) -> api.ScriptTiming:
        end = NOW + timedelta(seconds=3)
        stage, status = api.ScriptStage.START, api.ScriptStatus.PIPES_LEFT_OPEN
        return api.ScriptTiming(script_id, NOW, end, 255, stage, status)

    async with scripted(replica, agent) as line:
        for script_id in (agent.script_id, agent.script_id, uuid4()):
            await line.call(Method.SCRIPT_COMPLETED, timing(script_id))
    [kept] = await rows(house, "SELECT * FROM workspace_agent_script_timings")
    assert (kept["exit_code"], kept["stage"], kept["status"]) == (255, "start", "pipes_left_open")


async def test_visits_are_kept_even_when_the_first_report_was_lost(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    actions, kind = api.ConnectionAction, api.ConnectionType.SSH
    both, only_end = uuid4(), uuid4()
    later = NOW + timedelta(minutes=1)
    async with scripted(replica, agent) as line:
        for report in (
            api.ConnectionReport(both, actions.CONNECT, kind, NOW, "localhost"),
            api.ConnectionReport(both, actions.DISCONNECT, kind, later, "localhost", 255, "bye"),
            api.ConnectionReport(only_end, actions.DISCONNECT, kind, later),
        ):
            await line.call(Method.CONNECTION, report)
    kept = {row["id"]: row for row in await rows(house, "SELECT * FROM workspace_connections")}
    assert kept[both]["ip"] == "127.0.0.1"
    assert (kept[both]["connected_at"], kept[both]["disconnected_at"]) == (NOW, later)
    assert (kept[both]["status_code"], kept[both]["reason"]) == (255, "bye")
    assert kept[only_end]["disconnected_at"] == later


async def test_sessions_count_as_use_of_the_workspace(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async def last_used() -> Any:
        [row] = await rows(
            house, "SELECT last_used_at FROM workspaces WHERE id = %(id)s", id=agent.workspace_id
        )
        return row["last_used_at"]

    before = await last_used()
    async with scripted(replica, agent) as line:
        assert await line.call(Method.STATS, api.Stats()) == {"report_interval_ms": 30_000}
        assert await last_used() == before
        await line.call(Method.STATS, api.Stats(session_count_ssh=1))
        assert await last_used() > before


async def test_metadata_is_kept_for_known_keys_and_cut_to_its_limit(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    result = api.MetadataResult(NOW, 0, "v" * 5000, "e" * 5000)
    updates = (api.MetadataValue("cpu", result), api.MetadataValue("unknown", result))
    async with scripted(replica, agent) as line:
        await line.call(Method.METADATA, api.MetadataUpdate(updates))
        too_many = api.MetadataUpdate((api.MetadataValue("k" * 7000, result),))
        assert isinstance(await line.call(Method.METADATA, too_many), api.Failure)
    [kept] = await rows(house, "SELECT * FROM workspace_agent_metadata")
    assert (len(kept["value"]), len(kept["error"])) == (2048, 2048)
    assert kept["collected_at"] == NOW


async def test_healths_of_apps_are_told_when_they_change(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    healthy = api.AppHealths((api.AppHealthUpdate(agent.app_id, api.AppHealth.HEALTHY),))
    async with scripted(replica, agent) as line:
        with replica.board.pubsub.mailbox(f"workspace:{agent.workspace_id}") as box:
            await house.told(box, agent)
            await line.call(Method.APP_HEALTHS, healthy)
            await line.call(Method.APP_HEALTHS, healthy)
            assert await house.told(box, agent) == 1
    [app] = await rows(house, "SELECT health FROM workspace_apps")
    assert app["health"] == "healthy"


async def test_banners_are_the_deployments(
    house: House, replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        assert await line.call(Method.BANNERS) == {"banners": []}
        async with house.database.tx(as_system("test")) as tx:
            await tx.run(
                "INSERT INTO site_configs VALUES ('announcement_banners', %(value)s)",
                {"value": '[{"enabled": true, "message": "Hi", "background_color": "#fff"}]'},
            )
        [banner] = (await line.call(Method.BANNERS))["banners"]
        assert banner == {"enabled": True, "message": "Hi", "background_color": "#fff"}


async def answer_to(line: ScriptedAgent, text: str) -> None:
    await line.line.send(text)


async def test_nonsense_is_answered_and_the_line_stays_up(
    replica: Replica, agent: AgentRows
) -> None:
    async with scripted(replica, agent) as line:
        await answer_to(line, "{")
        unknown = await line.call("fly")
        assert isinstance(unknown, api.Failure)
        assert unknown.code == api.ErrorCode.UNKNOWN_METHOD
        bad = await line.call(Method.LIFECYCLE, state="flying", changed_at="now")
        assert isinstance(bad, api.Failure)
        assert bad.code == api.ErrorCode.INVALID_PARAMS
        assert await line.call(Method.PING) == {}
