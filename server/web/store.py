"""SQL of the deployment itself: its id, its settings, and the counts that operators look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID, uuid4

from server.kit.db import Tx

DEPLOYMENT_ID = "deployment_id"
DISMISSED = "health_dismissed"

GET_CONFIG: LiteralString = "SELECT value FROM site_configs WHERE key = %(key)s"
ADD_CONFIG: LiteralString = """
    INSERT INTO site_configs (key, value) VALUES (%(key)s, %(value)s) ON CONFLICT (key) DO NOTHING
"""
SET_CONFIG: LiteralString = """
    INSERT INTO site_configs (key, value) VALUES (%(key)s, %(value)s)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""
PING: LiteralString = "SELECT 1"
LIVE_DAEMONS: LiteralString = """
    SELECT id, organization_id, created_at, last_seen_at, name, version, api_version, provisioners,
           tags, key_id
      FROM provisioner_daemons
     WHERE replica_id IS NOT NULL AND last_seen_at > %(seen_after)s
     ORDER BY name, organization_id
     LIMIT %(limit)s
"""
WORKSPACES: LiteralString = """
    SELECT count(*) FILTER (WHERE j.started_at IS NULL AND j.completed_at IS NULL) AS pending,
           count(*) FILTER (WHERE j.started_at IS NOT NULL AND j.completed_at IS NULL) AS building,
           count(*) FILTER (WHERE j.completed_at IS NOT NULL AND j.error = ''
                              AND j.canceled_at IS NULL AND b.transition = 'start') AS running,
           count(*) FILTER (WHERE j.completed_at IS NOT NULL AND j.error <> '') AS failed,
           count(*) FILTER (WHERE j.completed_at IS NOT NULL AND j.error = ''
                              AND j.canceled_at IS NULL AND b.transition = 'stop') AS stopped
      FROM workspaces w
      JOIN LATERAL (
               SELECT job_id, transition FROM workspace_builds
                WHERE workspace_id = w.id ORDER BY build_number DESC LIMIT 1
           ) b ON true
      JOIN provisioner_jobs j ON j.id = b.job_id
     WHERE NOT w.deleted
"""
SESSIONS: LiteralString = """
    SELECT count(*) FILTER (WHERE type = 'vscode') AS vscode,
           count(*) FILTER (WHERE type = 'ssh') AS ssh,
           count(*) FILTER (WHERE type = 'jetbrains') AS jetbrains,
           count(*) FILTER (WHERE type = 'reconnecting_pty') AS reconnecting_pty
      FROM workspace_connections
     WHERE disconnected_at IS NULL
"""
LOAD: LiteralString = """
    SELECT (SELECT count(*) FROM provisioner_jobs
             WHERE started_at IS NULL AND completed_at IS NULL) AS jobs_pending,
           (SELECT count(*) FROM provisioner_jobs
             WHERE started_at IS NOT NULL AND completed_at IS NULL) AS jobs_running,
           (SELECT count(*) FROM workspace_agents WHERE connected_replica_id IS NOT NULL
               AND (disconnected_at IS NULL OR disconnected_at < last_connected_at)) AS agents,
           (SELECT count(*) FROM users WHERE NOT deleted AND NOT is_system
               AND status = 'active') AS users
"""


SEEN_LATELY = timedelta(seconds=90)
MOST_DAEMONS = 500


@dataclass(frozen=True, slots=True)
class LiveDaemon:
    """A provisioner daemon that takes jobs."""

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


@dataclass(frozen=True, slots=True)
class Workspaces:
    """How many workspaces are in which state."""

    pending: int
    building: int
    running: int
    failed: int
    stopped: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """How many connections to workspaces are open, by type."""

    vscode: int
    ssh: int
    jetbrains: int
    reconnecting_pty: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the deployment has to do right now."""

    jobs_pending: int
    jobs_running: int
    agents: int
    users: int


async def deployment_id(tx: Tx) -> UUID:
    """Return the id of this deployment, made when it is first asked for."""
    await tx.run(ADD_CONFIG, {"key": DEPLOYMENT_ID, "value": str(uuid4())})
    return UUID(await tx.value(GET_CONFIG, {"key": DEPLOYMENT_ID}))


async def dismissed(tx: Tx) -> list[str]:
    """Return the sections of the health report that an owner has dismissed."""
    value = await tx.value(GET_CONFIG, {"key": DISMISSED})
    return str(value).split(",") if value else []


async def dismiss(tx: Tx, sections: list[str]) -> None:
    """Dismiss these sections of the health report, and no others."""
    await tx.run(SET_CONFIG, {"key": DISMISSED, "value": ",".join(sections)})


async def ping(tx: Tx) -> None:
    """Ask the database for its shortest answer."""
    await tx.value(PING)


async def live_daemons(tx: Tx) -> list[LiveDaemon]:
    """Return the provisioner daemons that were seen lately, so many that a person can read them."""
    args = {"seen_after": tx.now - SEEN_LATELY, "limit": MOST_DAEMONS}
    return await tx.all(LiveDaemon, LIVE_DAEMONS, args)


async def workspaces(tx: Tx) -> Workspaces:
    """Count workspaces by state."""
    return await tx.one(Workspaces, WORKSPACES) or Workspaces(0, 0, 0, 0, 0)


async def sessions(tx: Tx) -> Sessions:
    """Count open connections by type."""
    return await tx.one(Sessions, SESSIONS) or Sessions(0, 0, 0, 0)


async def load(tx: Tx) -> Load:
    """Count jobs, agents and users."""
    return await tx.one(Load, LOAD) or Load(0, 0, 0, 0)
