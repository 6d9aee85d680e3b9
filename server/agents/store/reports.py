"""What agents report: their life, their scripts, their visitors, their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from coder_cli.kit.addresses import plain_address
from coder_cli.sdk.agentapi import (
    AppHealthUpdate,
    ConnectionAction,
    ConnectionReport,
    LifecycleState,
    MetadataValue,
    ScriptTiming,
)
from server.agents.model import Life, Own, clean, clip
from server.kit.db import Tx

OWN: LiteralString = """
    SELECT a.motd_file, a.api_key_scope, a.metadata,
           COALESCE((SELECT jsonb_agg(jsonb_build_object(
                                'id', d.id, 'name', d.name, 'config_path', d.config_path,
                                'subagent_id', d.subagent_id,
                                'workspace_folder', d.workspace_folder) ORDER BY d.name)
                       FROM workspace_agent_devcontainers d
                      WHERE d.workspace_agent_id = a.id), '[]') AS devcontainers
      FROM workspace_agents a
     WHERE a.id = %(agent_id)s
"""
LIFE: LiteralString = """
    SELECT lifecycle_state AS state, started_at, ready_at
      FROM workspace_agents WHERE id = %(agent_id)s FOR UPDATE
"""
LIVE: LiteralString = """
    UPDATE workspace_agents
       SET lifecycle_state = %(state)s, started_at = %(started_at)s, ready_at = %(ready_at)s,
           updated_at = %(now)s
     WHERE id = %(agent_id)s
"""
STARTUP: LiteralString = """
    UPDATE workspace_agents
       SET version = %(version)s, expanded_directory = %(directory)s,
           subsystems = %(subsystems)s, ssh_host_key = %(host_key)s, updated_at = %(now)s
     WHERE id = %(agent_id)s
"""
SCRIPT_TIMING: LiteralString = """
    INSERT INTO workspace_agent_script_timings
           (script_id, started_at, ended_at, exit_code, stage, status)
    SELECT s.id, %(start)s, %(end)s, %(exit_code)s, %(stage)s, %(status)s
      FROM workspace_agent_scripts s
     WHERE s.id = %(script_id)s AND s.workspace_agent_id = %(agent_id)s
    ON CONFLICT DO NOTHING
"""
CAME: LiteralString = """
    INSERT INTO workspace_connections (id, agent_id, workspace_id, type, ip, connected_at)
    VALUES (%(id)s, %(agent_id)s, %(workspace_id)s, %(type)s, %(ip)s, %(at)s)
    ON CONFLICT (id) DO NOTHING
"""
WENT: LiteralString = """
    UPDATE workspace_connections
       SET disconnected_at = %(at)s, status_code = %(status_code)s, reason = %(reason)s
     WHERE id = %(id)s AND agent_id = %(agent_id)s AND disconnected_at IS NULL
"""
METADATA: LiteralString = """
    UPDATE workspace_agent_metadata m
       SET value = new.value, error = new.error, collected_at = new.collected_at
      FROM unnest(%(keys)s::text[], %(values)s::text[], %(errors)s::text[],
                  %(collected)s::timestamptz[]) AS new (key, value, error, collected_at)
     WHERE m.workspace_agent_id = %(agent_id)s AND m.key = new.key
"""
HEALTHS: LiteralString = """
    UPDATE workspace_apps a
       SET health = new.health
      FROM unnest(%(ids)s::uuid[], %(healths)s::text[]) AS new (id, health)
     WHERE a.agent_id = %(agent_id)s AND a.id = new.id AND a.health <> new.health
"""
APP_STATUS: LiteralString = """
    WITH app AS (
        SELECT id FROM workspace_apps WHERE agent_id = %(agent_id)s AND slug = %(slug)s
    ), last AS (
        SELECT s.state, s.message, s.uri
          FROM workspace_app_statuses s JOIN app ON s.app_id = app.id
         ORDER BY s.created_at DESC LIMIT 1
    ), written AS (
        INSERT INTO workspace_app_statuses
               (id, workspace_id, agent_id, app_id, state, message, uri, created_at)
        SELECT %(id)s, %(workspace_id)s, %(agent_id)s, app.id, %(state)s, %(message)s, %(uri)s,
               %(now)s
          FROM app
         WHERE NOT EXISTS (
               SELECT FROM last WHERE (state, message, uri) = (%(state)s, %(message)s, %(uri)s))
        RETURNING id
    )
    SELECT (SELECT count(*) FROM app) AS apps, (SELECT count(*) FROM written) AS written
"""
BANNERS: LiteralString = "SELECT value FROM site_configs WHERE key = 'announcement_banners'"


@dataclass(frozen=True, slots=True)
class Started:
    """Who an agent says it is, checked."""

    version: str
    directory: str
    subsystems: list[str]
    host_key: str


@dataclass(frozen=True, slots=True)
class AppStatus:
    """What an agent says an app is doing."""

    slug: str
    state: str
    message: str
    uri: str


@dataclass(frozen=True, slots=True)
class _LifeRow:
    state: str
    started_at: Any
    ready_at: Any


@dataclass(frozen=True, slots=True)
class _Counts:
    apps: int
    written: int


async def own(tx: Tx, agent_id: UUID) -> Own | None:
    """Return what only the agent itself is told."""
    return await tx.one(Own, OWN, {"agent_id": agent_id})


async def lock_life(tx: Tx, agent_id: UUID) -> Life | None:
    """Return an agent's life, and let nobody else change it in this transaction."""
    row = await tx.one(_LifeRow, LIFE, {"agent_id": agent_id})
    return row and Life(LifecycleState(row.state), row.started_at, row.ready_at)


async def live(tx: Tx, agent_id: UUID, life: Life) -> None:
    """Write an agent's life."""
    await tx.run(
        LIVE,
        {
            "agent_id": agent_id,
            "state": life.state.value,
            "started_at": life.started_at,
            "ready_at": life.ready_at,
            "now": tx.now,
        },
    )


async def startup(tx: Tx, agent_id: UUID, started: Started) -> None:
    """Write who an agent is."""
    await tx.run(
        STARTUP,
        {
            "agent_id": agent_id,
            "version": started.version,
            "directory": started.directory,
            "subsystems": started.subsystems,
            "host_key": started.host_key,
            "now": tx.now,
        },
    )


async def script_timing(tx: Tx, agent_id: UUID, timing: ScriptTiming) -> None:
    """Keep how a run of one of the agent's scripts went; a second report of it is dropped."""
    await tx.run(
        SCRIPT_TIMING,
        {
            "agent_id": agent_id,
            "script_id": timing.script_id,
            "start": timing.start,
            "end": timing.end,
            "exit_code": timing.exit_code,
            "stage": timing.stage.value,
            "status": timing.status.value,
        },
    )


async def connection(tx: Tx, agent_id: UUID, workspace_id: UUID, report: ConnectionReport) -> None:
    """Keep that somebody came to the workspace, or went; a lost first report is made up for."""
    args = {
        "id": report.id,
        "agent_id": agent_id,
        "workspace_id": workspace_id,
        "type": report.type.value,
        "ip": plain_address(report.ip) or "",
        "at": report.timestamp,
        "status_code": report.status_code,
        "reason": clip(report.reason),
    }
    await tx.run(CAME, args)
    if report.action is ConnectionAction.DISCONNECT:
        await tx.run(WENT, args)


async def metadata(tx: Tx, agent_id: UUID, updates: Sequence[MetadataValue]) -> int:
    """Write collected values; keys that the template does not name are dropped."""
    newest = {update.key: update.result for update in updates}
    return await tx.run(
        METADATA,
        {
            "agent_id": agent_id,
            "keys": [clean(key) for key in newest],
            "values": [clip(result.value) for result in newest.values()],
            "errors": [clip(result.error) for result in newest.values()],
            "collected": [result.collected_at for result in newest.values()],
        },
    )


async def healths(tx: Tx, agent_id: UUID, updates: Sequence[AppHealthUpdate]) -> int:
    """Write how the agent's apps are; return how many are otherwise than before."""
    newest = {update.id: update.health.value for update in updates}
    return await tx.run(
        HEALTHS, {"agent_id": agent_id, "ids": list(newest), "healths": list(newest.values())}
    )


async def app_status(
    tx: Tx, agent_id: UUID, workspace_id: UUID, status: AppStatus
) -> tuple[bool, bool]:
    """Keep what an app does; return whether there is such an app, and whether this is news."""
    counts = await tx.one(
        _Counts,
        APP_STATUS,
        {
            "id": uuid4(),
            "agent_id": agent_id,
            "workspace_id": workspace_id,
            "slug": status.slug,
            "state": status.state,
            "message": status.message,
            "uri": status.uri,
            "now": tx.now,
        },
    )
    return (counts.apps > 0, counts.written > 0) if counts else (False, False)


async def banners(tx: Tx) -> str:
    """Return the deployment's announcements as they are stored: JSON, or nothing."""
    return str(await tx.value(BANNERS) or "")
