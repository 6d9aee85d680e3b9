"""Rows of agents inside an agent. They hang on the same resource as their parent."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString
from uuid import UUID, uuid4

from coder_cli.sdk.agentapi.subagents import CreateSubAgent, SubAgentApp
from server.agents.model import Kin, clip
from server.kit.db import Tx, jsonb

LOCK: LiteralString = "SELECT id FROM workspace_agents WHERE id = %(parent_id)s FOR UPDATE"
KIN: LiteralString = """
    SELECT a.id, a.name, a.parent_id
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
     WHERE r.job_id = (SELECT o.job_id FROM workspace_agents p
                         JOIN workspace_resources o ON o.id = p.resource_id
                        WHERE p.id = %(parent_id)s)
     ORDER BY a.created_at, a.name
"""
ASSIGNED: LiteralString = """
    SELECT inside FROM workspace_agent_devcontainers
     WHERE workspace_agent_id = %(parent_id)s AND subagent_id = %(id)s
"""
# A template's ids outlive builds, rows of agents do not: the one of an earlier build makes room.
MAKE_ROOM: LiteralString = """
    DELETE FROM workspace_agents a
     USING workspace_resources r, workspace_builds b
     WHERE a.id = %(id)s AND r.id = a.resource_id AND b.job_id = r.job_id
       AND b.workspace_id = %(workspace_id)s
"""
INSERT: LiteralString = """
    INSERT INTO workspace_agents
           (id, parent_id, resource_id, name, auth_token, api_key_scope, architecture,
            operating_system, directory, environment_variables, display_apps,
            connection_timeout_seconds, troubleshooting_url, created_at, updated_at)
    SELECT %(id)s, p.id, p.resource_id, %(name)s, %(hashed)s, p.api_key_scope,
           coalesce(nullif(%(architecture)s, ''), p.architecture),
           coalesce(nullif(%(operating_system)s, ''), p.operating_system), %(directory)s,
           %(env)s, %(display_apps)s, p.connection_timeout_seconds, p.troubleshooting_url,
           %(now)s, %(now)s
      FROM workspace_agents p WHERE p.id = %(parent_id)s
    ON CONFLICT (id) DO NOTHING
"""
INSERT_APP: LiteralString = """
    INSERT INTO workspace_apps
           (id, agent_id, slug, display_name, icon, command, url, external, subdomain,
            sharing_level, healthcheck_url, healthcheck_interval, healthcheck_threshold, health,
            hidden, open_in, display_group, position, created_at)
    VALUES (%(id)s, %(agent_id)s, %(slug)s, %(display_name)s, %(icon)s, %(command)s, %(url)s,
            %(external)s, %(subdomain)s, %(share)s, %(check_url)s, %(check_interval)s,
            %(check_threshold)s, %(health)s, %(hidden)s, %(open_in)s, %(group)s, %(order)s, %(now)s)
"""
INSERT_SOURCE: LiteralString = """
    INSERT INTO workspace_agent_log_sources (id, workspace_agent_id, display_name, icon, created_at)
    VALUES (%(source_id)s, %(agent_id)s, %(display_name)s, %(icon)s, %(now)s)
"""
INSERT_SCRIPT: LiteralString = """
    INSERT INTO workspace_agent_scripts
           (id, workspace_agent_id, log_source_id, display_name, log_path, script, cron,
            start_blocks_login, run_on_start, run_on_stop, timeout_seconds, position, created_at)
    VALUES (%(id)s, %(agent_id)s, %(source_id)s, %(display_name)s, %(log_path)s, %(script)s,
            %(cron)s, %(start_blocks_login)s, %(run_on_start)s, %(run_on_stop)s,
            %(timeout_seconds)s, %(position)s, %(now)s)
"""
DELETE: LiteralString = """
    DELETE FROM workspace_agents WHERE id = %(id)s AND parent_id = %(parent_id)s
"""


@dataclass(frozen=True, slots=True)
class _Inside:
    inside: dict[str, Any]


async def kin(tx: Tx, parent_id: UUID) -> list[Kin]:
    """Return all agents of the build, the parent's too; no other is added in this transaction."""
    await tx.value(LOCK, {"parent_id": parent_id})
    return await tx.all(Kin, KIN, {"parent_id": parent_id})


async def assigned(tx: Tx, parent_id: UUID, agent_id: UUID) -> dict[str, Any] | None:
    """Return what the template puts inside the dev container that has this id for its agent."""
    row = await tx.one(_Inside, ASSIGNED, {"parent_id": parent_id, "id": agent_id})
    return row and row.inside


async def make_room(tx: Tx, agent_id: UUID, workspace_id: UUID) -> None:
    """Forget the agent of this id, if it is one of the same workspace."""
    await tx.run(MAKE_ROOM, {"id": agent_id, "workspace_id": workspace_id})


@dataclass(frozen=True, slots=True)
class Birth:
    """A sub-agent that is to be."""

    id: UUID
    parent_id: UUID
    hashed: bytes
    wanted: CreateSubAgent
    env: dict[str, str]


async def add(tx: Tx, birth: Birth) -> bool:
    """Write a sub-agent; return False when another workspace has its id."""
    wanted = birth.wanted
    args = {
        "id": birth.id,
        "parent_id": birth.parent_id,
        "name": wanted.name,
        "hashed": birth.hashed,
        "architecture": clip(wanted.architecture, 64),
        "operating_system": clip(wanted.operating_system, 64),
        "directory": clip(wanted.directory, 4096),
        "env": jsonb(birth.env),
        "display_apps": list(dict.fromkeys(wanted.display_apps)),
        "now": tx.now,
    }
    return await tx.run(INSERT, args) > 0


async def add_apps(tx: Tx, agent_id: UUID, apps: Sequence[SubAgentApp]) -> None:
    """Write the apps of a sub-agent."""
    await tx.many(
        INSERT_APP,
        [
            {
                **{
                    key: clip(value) if isinstance(value, str) else value
                    for key, value in row.items()
                },
                "id": uuid4(),
                "agent_id": agent_id,
                "check_url": clip(app.healthcheck.url),
                "check_interval": round(app.healthcheck.interval),
                "check_threshold": app.healthcheck.threshold,
                "health": "initializing" if app.healthcheck.url else "disabled",
                "now": tx.now,
            }
            for app in apps
            if (row := asdict(app)).pop("healthcheck") is not None
        ],
    )


async def add_scripts(tx: Tx, agent_id: UUID, scripts: Sequence[dict[str, Any]]) -> None:
    """Write the scripts that a template puts inside."""
    rows = [
        {
            **script,
            "id": uuid4(),
            "source_id": uuid4(),
            "agent_id": agent_id,
            "position": position,
            "now": tx.now,
        }
        for position, script in enumerate(scripts)
    ]
    await tx.many(INSERT_SOURCE, rows)
    await tx.many(INSERT_SCRIPT, rows)


async def delete(tx: Tx, parent_id: UUID, agent_id: UUID) -> bool:
    """Remove a sub-agent and all that is its; return False when the parent has no such."""
    return await tx.run(DELETE, {"id": agent_id, "parent_id": parent_id}) > 0
