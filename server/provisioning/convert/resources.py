"""What jobs made, as the wire shows it: apps and scripts in agents, agents in resources."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from coder_cli.sdk import agents as sdk
from coder_cli.sdk.builds import Transition, WorkspaceResource, WorkspaceResourceMetadata
from server.provisioning.model import (
    AgentRow,
    AppRow,
    AppStatusRow,
    LogSourceRow,
    ResourceRow,
    ResourceRows,
    ScriptRow,
    agent_status,
)

Row = TypeVar("Row")
NANOSECONDS = 1_000_000_000


def resources_to_sdk(rows: ResourceRows, now: datetime) -> dict[UUID, list[WorkspaceResource]]:
    """Return what each job made."""
    agents = _by(agents_to_sdk(rows, now), lambda agent: agent.resource_id)
    found: dict[UUID, list[WorkspaceResource]] = defaultdict(list)
    for row in rows.resources:
        found[row.job_id].append(_resource(row, agents.get(row.id, [])))
    return dict(found)


def agents_to_sdk(rows: ResourceRows, now: datetime) -> list[sdk.WorkspaceAgent]:
    """Return agents with their apps, scripts and log sources."""
    statuses = _by(rows.statuses, lambda status: status.app_id)
    apps = _by(rows.apps, lambda app: app.agent_id)
    scripts = _by(rows.scripts, lambda script: script.workspace_agent_id)
    sources = _by(rows.log_sources, lambda source: source.workspace_agent_id)
    return [
        _agent(
            row,
            now,
            [_app(app, statuses.get(app.id, [])) for app in apps.get(row.id, [])],
            scripts.get(row.id, []),
            sources.get(row.id, []),
        )
        for row in rows.agents
    ]


def _by(rows: Iterable[Row], key: Callable[[Row], UUID]) -> dict[UUID, list[Row]]:
    grouped: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[key(row)].append(row)
    return grouped


def _resource(row: ResourceRow, agents: list[sdk.WorkspaceAgent]) -> WorkspaceResource:
    return WorkspaceResource(
        id=row.id,
        created_at=row.created_at,
        job_id=row.job_id,
        workspace_transition=Transition(row.transition),
        type=row.type,
        name=row.name,
        hide=row.hide,
        icon=row.icon,
        agents=agents,
        metadata=[
            WorkspaceResourceMetadata(
                key=item["key"], value=item["value"], sensitive=item["sensitive"]
            )
            for item in row.metadata
        ],
        daily_cost=row.daily_cost,
    )


def _agent(
    row: AgentRow,
    now: datetime,
    apps: list[sdk.WorkspaceApp],
    scripts: list[ScriptRow],
    sources: list[LogSourceRow],
) -> sdk.WorkspaceAgent:
    status = sdk.AgentStatus(agent_status(row.times, now).value)
    lifecycle = sdk.AgentLifecycle(row.lifecycle_state)
    blocking = any(script.start_blocks_login and script.run_on_start for script in scripts)
    return sdk.WorkspaceAgent(
        id=row.id,
        parent_id=row.parent_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        first_connected_at=row.first_connected_at,
        last_connected_at=row.last_connected_at,
        disconnected_at=row.disconnected_at,
        started_at=row.started_at,
        ready_at=row.ready_at,
        status=status,
        lifecycle_state=lifecycle,
        name=row.name,
        resource_id=row.resource_id,
        instance_id=row.auth_instance_id or "",
        architecture=row.architecture,
        environment_variables=row.environment_variables,
        operating_system=row.operating_system,
        logs_length=row.logs_length,
        logs_overflowed=row.logs_overflowed,
        directory=row.directory,
        expanded_directory=row.expanded_directory,
        version=row.version,
        api_version=row.api_version,
        apps=apps,
        connection_timeout_seconds=row.connection_timeout_seconds,
        troubleshooting_url=row.troubleshooting_url,
        subsystems=[sdk.AgentSubsystem(name) for name in row.subsystems],
        health=_health(status, lifecycle),
        display_apps=[sdk.DisplayApp(name) for name in row.display_apps],
        log_sources=[_source(source) for source in sources],
        scripts=[_script(script) for script in scripts],
        startup_script_behavior=(
            sdk.StartupScriptBehavior.BLOCKING
            if blocking
            else sdk.StartupScriptBehavior.NON_BLOCKING
        ),
    )


def _health(status: sdk.AgentStatus, lifecycle: sdk.AgentLifecycle) -> sdk.WorkspaceAgentHealth:
    reason = _ailment(status, lifecycle)
    return sdk.WorkspaceAgentHealth(healthy=not reason, reason=reason)


def _ailment(status: sdk.AgentStatus, lifecycle: sdk.AgentLifecycle) -> str:
    """Return what is wrong with an agent, or nothing."""
    if status is not sdk.AgentStatus.CONNECTED and lifecycle is sdk.AgentLifecycle.OFF:
        return "agent is not running"
    if status is sdk.AgentStatus.TIMEOUT:
        return "agent is taking too long to connect"
    if status is sdk.AgentStatus.DISCONNECTED:
        return "agent has lost connection"
    if lifecycle is sdk.AgentLifecycle.START_ERROR:
        return "agent startup script exited with an error"
    return "agent is shutting down" if lifecycle.shutting_down else ""


def _app(row: AppRow, statuses: list[AppStatusRow]) -> sdk.WorkspaceApp:
    return sdk.WorkspaceApp(
        id=row.id,
        url=row.url,
        external=row.external,
        slug=row.slug,
        display_name=row.display_name,
        command=row.command,
        icon=row.icon,
        subdomain=row.subdomain,
        sharing_level=sdk.AppSharingLevel(row.sharing_level),
        healthcheck=sdk.Healthcheck(
            url=row.healthcheck_url,
            interval=row.healthcheck_interval,
            threshold=row.healthcheck_threshold,
        ),
        health=sdk.AppHealth(row.health),
        group=row.display_group,
        hidden=row.hidden,
        open_in=sdk.AppOpenIn(row.open_in),
        tooltip=row.tooltip,
        statuses=[_app_status(status) for status in statuses],
    )


def _app_status(row: AppStatusRow) -> sdk.WorkspaceAppStatus:
    return sdk.WorkspaceAppStatus(
        id=row.id,
        created_at=row.created_at,
        workspace_id=row.workspace_id,
        agent_id=row.agent_id,
        app_id=row.app_id,
        state=sdk.AppStatusState(row.state),
        message=row.message,
        uri=row.uri,
    )


def _script(row: ScriptRow) -> sdk.WorkspaceAgentScript:
    return sdk.WorkspaceAgentScript(
        id=row.id,
        log_source_id=row.log_source_id,
        log_path=row.log_path,
        script=row.script,
        cron=row.cron,
        run_on_start=row.run_on_start,
        run_on_stop=row.run_on_stop,
        start_blocks_login=row.start_blocks_login,
        timeout=row.timeout_seconds * NANOSECONDS,
        display_name=row.display_name,
    )


def _source(row: LogSourceRow) -> sdk.WorkspaceAgentLogSource:
    return sdk.WorkspaceAgentLogSource(
        id=row.id,
        workspace_agent_id=row.workspace_agent_id,
        created_at=row.created_at,
        display_name=row.display_name,
        icon=row.icon,
    )
