"""The control line: its versions and roles, and what is stored of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from coder_cli.sdk.agentapi import VERSION
from server.agents.errors import UnknownVersion
from server.provisioning import AgentStatus, AgentTimes, agent_status

BEAT_EVERY = 5.0
"""A replica writes once in so many seconds that its agents are there, all in one statement."""
GONE_AFTER = timedelta(seconds=15)
"""Without a beat for so long, an agent's replica is dead and the agent disconnected."""
CUT_AFTER = timedelta(seconds=15)
"""Streams outlive the loss of their agent's control line for so long: it may only reconnect."""
_MONITORED = frozenset({"", "agent"})
_SUPPORTED = frozenset({VERSION})


def check_version(version: str) -> None:
    """Refuse a version of the line that we do not speak.

    Raises:
        UnknownVersion: it is one.
    """
    if version not in _SUPPORTED:
        raise UnknownVersion(version)


def is_monitored(role: str) -> bool:
    """Tell whether a line of this role is the agent itself; others only use its token."""
    return role in _MONITORED


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where an agent's line ends, and what its status depends on."""

    connected_replica_id: UUID | None
    ssh_host_key: str
    created_at: datetime
    connection_timeout_seconds: int
    first_connected_at: datetime | None
    last_connected_at: datetime | None
    disconnected_at: datetime | None

    def status(self, now: datetime) -> AgentStatus:
        """Return the status of the line."""
        times = AgentTimes(
            self.created_at,
            self.connection_timeout_seconds,
            self.first_connected_at,
            self.last_connected_at,
            self.disconnected_at,
        )
        return agent_status(times, now)

    def lost_for_good(self, now: datetime) -> bool:
        """Tell whether the agent is away for so long that its streams are dead, too."""
        seen = [moment for moment in (self.last_connected_at, self.disconnected_at) if moment]
        connected = self.status(now) is AgentStatus.CONNECTED
        return not connected and bool(seen) and now - max(seen) > CUT_AFTER


@dataclass(frozen=True, slots=True)
class Moved:
    """An agent whose status is another now, and whose workspace that is."""

    agent_id: UUID
    workspace_id: UUID
    owner_id: UUID


@dataclass(frozen=True, slots=True)
class Own:
    """What an agent is told about itself, beside what clients may see."""

    motd_file: str
    api_key_scope: str
    metadata: list[dict[str, Any]]
    devcontainers: list[dict[str, Any]]
