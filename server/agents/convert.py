"""Agents between their rows, their line and the wire."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from coder_cli.sdk import agents as sdk
from coder_cli.sdk.agentapi import (
    App,
    AppHealth,
    BadShape,
    Banners,
    Devcontainer,
    Healthcheck,
    LogLevel,
    Manifest,
    MetadataSource,
    Script,
    SharingLevel,
    from_json,
)
from coder_cli.sdk.words import LogLevel as SdkLogLevel
from server.agents.model import LogSource, MetadataRow, Own, Reinit, StoredLog
from server.workspaces import AgentIdentity

NANOSECONDS = 1_000_000_000
_LEVELS = frozenset(LogLevel)


def manifest(
    identity: AgentIdentity, own: Own, agent: sdk.WorkspaceAgent, wildcard_host: str
) -> Manifest:
    """Return all that an agent must know about itself."""
    return Manifest(
        agent_id=identity.agent_id,
        workspace_id=identity.workspace_id,
        agent_name=identity.agent_name,
        workspace_name=identity.workspace_name,
        owner_username=identity.owner_name,
        directory=agent.directory,
        environment_variables=dict(agent.environment_variables),
        vs_code_port_proxy_uri=_port_proxy(identity, wildcard_host),
        motd_path=own.motd_file,
        disable_direct_connections=True,
        scripts=tuple(_script(script) for script in agent.scripts),
        apps=tuple(_app(app, identity, wildcard_host) for app in agent.apps),
        metadata=tuple(_metadata_source(item) for item in own.metadata),
        devcontainers=tuple(
            Devcontainer(
                UUID(one["id"]),
                one["workspace_folder"],
                one["config_path"],
                one["name"],
                UUID(one["subagent_id"]) if one["subagent_id"] else None,
            )
            for one in own.devcontainers
        ),
        parent_id=identity.parent_id,
    )


def _port_proxy(identity: AgentIdentity, wildcard_host: str) -> str:
    if not wildcard_host:
        return ""
    host = _app_host("{{port}}", identity)
    return f"https://{wildcard_host.replace('*', host, 1)}"


def _app_host(first: str, identity: AgentIdentity) -> str:
    return f"{first}--{identity.agent_name}--{identity.workspace_name}--{identity.owner_name}"


def _script(script: sdk.WorkspaceAgentScript) -> Script:
    return Script(
        id=script.id,
        log_source_id=script.log_source_id,
        script=script.script,
        display_name=script.display_name,
        log_path=script.log_path,
        cron=script.cron,
        run_on_start=script.run_on_start,
        run_on_stop=script.run_on_stop,
        start_blocks_login=script.start_blocks_login,
        timeout=script.timeout / NANOSECONDS,
    )


def _app(app: sdk.WorkspaceApp, identity: AgentIdentity, wildcard_host: str) -> App:
    check = app.healthcheck
    named = app.subdomain and bool(wildcard_host)
    return App(
        id=app.id,
        slug=app.slug,
        display_name=app.display_name,
        url=app.url,
        external=app.external,
        command=app.command,
        icon=app.icon,
        subdomain=app.subdomain,
        subdomain_name=_app_host(app.slug, identity) if named else "",
        sharing_level=SharingLevel(app.sharing_level.value),
        healthcheck=Healthcheck(check.url, check.interval, check.threshold),
        health=AppHealth(app.health.value),
        hidden=app.hidden,
    )


def _metadata_source(item: dict[str, Any]) -> MetadataSource:
    return MetadataSource(
        key=item["key"],
        script=item["script"],
        display_name=item.get("display_name", ""),
        interval=item.get("interval", 0),
        timeout=item.get("timeout", 0),
    )


def banners(stored: str) -> Banners:
    """Return the deployment's announcements; what cannot be read is none."""
    try:
        found = json.loads(stored or "[]")
        return from_json(Banners, {"banners": found})
    except (ValueError, BadShape):
        return Banners()


def forgiving(params: dict[str, Any]) -> dict[str, Any]:
    """Return the params of ``logs`` with unknown levels as ``info``: a line is worth more."""
    lines = params.get("logs")
    if not isinstance(lines, list):
        return params
    return {**params, "logs": [_leveled(line) for line in cast("list[Any]", lines)]}


def _leveled(line: Any) -> Any:
    if not isinstance(line, dict):
        return line
    entry = cast("dict[str, Any]", line)
    return entry if str(entry.get("level", "info")) in _LEVELS else {**entry, "level": "info"}


def logs(lines: Iterable[StoredLog]) -> list[sdk.WorkspaceAgentLog]:
    """Return lines of a log as clients see them."""
    return [
        sdk.WorkspaceAgentLog(
            id=line.id,
            created_at=line.created_at,
            output=line.output,
            level=SdkLogLevel(line.level) if line.level in _LEVELS else SdkLogLevel.INFO,
            source_id=line.source_id,
        )
        for line in lines
    ]


def source(row: LogSource) -> sdk.WorkspaceAgentLogSource:
    """Return a writer of lines as clients see it."""
    return sdk.WorkspaceAgentLogSource(
        id=row.id,
        workspace_agent_id=row.workspace_agent_id,
        created_at=row.created_at,
        display_name=row.display_name,
        icon=row.icon,
    )


def metadata(
    own: Own, rows: Sequence[MetadataRow], now: datetime
) -> list[sdk.WorkspaceAgentMetadata]:
    """Return collected values with their descriptions, in the order of the template."""
    values = {row.key: row for row in rows}
    return [
        sdk.WorkspaceAgentMetadata(
            result=sdk.MetadataResult(
                collected_at=row.collected_at,
                age=max(0, int((now - row.collected_at).total_seconds())),
                value=row.value,
                error=row.error,
            ),
            description=sdk.MetadataDescription(
                display_name=item.get("display_name", ""),
                key=item["key"],
                script=item["script"],
                interval=item.get("interval", 0),
                timeout=item.get("timeout", 0),
            ),
        )
        for item in own.metadata
        if (row := values.get(item["key"])) is not None
    ]


def reinit(word: Reinit | None) -> tuple[str, str]:
    """Return the kind and the JSON of an event that an agent waits for; None is a sign of life."""
    if word is None:
        return "ping", "null"
    # These names are the agents' own; all others of the API have underscores.
    return "data", json.dumps({"workspaceID": str(word.workspace_id), "reason": word.reason})
