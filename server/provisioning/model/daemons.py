"""Provisioner daemons: the workers of all replicas, as people see them. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

API_VERSION = "1.6"
"""The version of the original's provisioner protocol whose features our daemons have."""

DAEMON_BEAT_SECONDS = 15.0

STALE_DAEMON = timedelta(seconds=45)
"""A daemon that was not seen for so long is offline, and its name may be taken over."""


@dataclass(frozen=True, slots=True)
class DaemonView:
    """A daemon with the job it runs and the one it ran before."""

    id: UUID
    organization_id: UUID
    created_at: datetime
    last_seen_at: datetime
    name: str
    version: str
    api_version: str
    provisioners: list[str]
    tags: dict[str, str]
    key_id: UUID
    key_name: str
    replica_id: UUID | None
    current_job: dict[str, Any] | None
    previous_job: dict[str, Any] | None


def daemon_status(daemon: DaemonView, now: datetime) -> str:
    """Return offline, idle or busy."""
    if daemon.replica_id is None or now - daemon.last_seen_at > STALE_DAEMON:
        return "offline"
    return "idle" if daemon.current_job is None else "busy"


def free_names(hostname: str, taken: Collection[str], wanted: int) -> list[str]:
    """Return ``wanted`` names for daemons of this host that nobody alive uses."""
    numbered = (f"{hostname}-{number}" for number in count())
    free = (name for name in numbered if name not in taken)
    return [next(free) for _ in range(wanted)]
