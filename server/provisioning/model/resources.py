"""Rows of what terraform made, and the status of an agent's line. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

INACTIVE_AFTER = timedelta(seconds=15)
"""An agent that was not heard of for so long is gone; its server writes every five seconds."""


class AgentStatus(StrEnum):
    """The line to an agent, as the server sees it."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    TIMEOUT = "timeout"


def agent_status(
    agent: "AgentTimes", now: datetime, inactive_after: timedelta = INACTIVE_AFTER
) -> AgentStatus:
    """Return the status of an agent's line; the first rule that fits decides."""
    if agent.first_connected_at is None or agent.last_connected_at is None:
        patience = timedelta(seconds=agent.connection_timeout_seconds)
        late = bool(patience) and now - agent.created_at > patience
        return AgentStatus.TIMEOUT if late else AgentStatus.CONNECTING
    if agent.disconnected_at is not None and agent.disconnected_at > agent.last_connected_at:
        return AgentStatus.DISCONNECTED
    if now - agent.last_connected_at > inactive_after:
        return AgentStatus.DISCONNECTED
    return AgentStatus.CONNECTED


@dataclass(frozen=True, slots=True)
class AgentTimes:
    """What the status of an agent's line depends on."""

    created_at: datetime
    connection_timeout_seconds: int
    first_connected_at: datetime | None
    last_connected_at: datetime | None
    disconnected_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResourceRow:
    id: UUID
    job_id: UUID
    transition: str
    type: str
    name: str
    hide: bool
    icon: str
    daily_cost: int
    metadata: list[dict[str, Any]]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AgentRow:
    id: UUID
    parent_id: UUID | None
    resource_id: UUID
    name: str
    auth_instance_id: str | None
    architecture: str
    operating_system: str
    directory: str
    expanded_directory: str
    environment_variables: dict[str, str]
    troubleshooting_url: str
    connection_timeout_seconds: int
    display_apps: list[str]
    lifecycle_state: str
    version: str
    api_version: str
    subsystems: list[str]
    first_connected_at: datetime | None
    last_connected_at: datetime | None
    disconnected_at: datetime | None
    started_at: datetime | None
    ready_at: datetime | None
    logs_length: int
    logs_overflowed: bool
    created_at: datetime
    updated_at: datetime

    @property
    def times(self) -> AgentTimes:
        """Return what the status of this agent's line depends on."""
        return AgentTimes(
            self.created_at,
            self.connection_timeout_seconds,
            self.first_connected_at,
            self.last_connected_at,
            self.disconnected_at,
        )


@dataclass(frozen=True, slots=True)
class AppRow:
    id: UUID
    agent_id: UUID
    slug: str
    display_name: str
    icon: str
    command: str
    url: str
    external: bool
    subdomain: bool
    sharing_level: str
    healthcheck_url: str
    healthcheck_interval: int
    healthcheck_threshold: int
    health: str
    hidden: bool
    open_in: str
    display_group: str
    tooltip: str


@dataclass(frozen=True, slots=True)
class AppStatusRow:
    id: UUID
    workspace_id: UUID
    agent_id: UUID
    app_id: UUID
    state: str
    message: str
    uri: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ScriptRow:
    id: UUID
    workspace_agent_id: UUID
    log_source_id: UUID
    display_name: str
    log_path: str
    script: str
    cron: str
    start_blocks_login: bool
    run_on_start: bool
    run_on_stop: bool
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class LogSourceRow:
    id: UUID
    workspace_agent_id: UUID
    display_name: str
    icon: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ResourceRows:
    """Everything that some jobs made, table by table."""

    resources: list[ResourceRow]
    agents: list[AgentRow]
    apps: list[AppRow]
    statuses: list[AppStatusRow]
    scripts: list[ScriptRow]
    log_sources: list[LogSourceRow]
