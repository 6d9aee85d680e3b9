"""What jobs made: resources, their agents, and the apps and scripts of those."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx
from server.provisioning.model import (
    AgentRow,
    AppRow,
    AppStatusRow,
    LogSourceRow,
    ResourceRow,
    ResourceRows,
    ScriptRow,
)

RESOURCES: LiteralString = """
    SELECT id, job_id, transition, type, name, hide, icon, daily_cost, metadata, created_at
      FROM workspace_resources
     WHERE job_id = ANY(%(job_ids)s)
     ORDER BY transition, position, name
"""

AGENTS: LiteralString = """
    SELECT a.id, a.parent_id, a.resource_id, a.name, a.auth_instance_id, a.architecture,
           a.operating_system, a.directory, a.expanded_directory, a.environment_variables,
           a.troubleshooting_url, a.connection_timeout_seconds, a.display_apps,
           a.lifecycle_state, a.version, a.api_version, a.subsystems, a.first_connected_at,
           a.last_connected_at, a.disconnected_at, a.started_at, a.ready_at, a.logs_length,
           a.logs_overflowed, a.created_at, a.updated_at
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
     WHERE r.job_id = ANY(%(job_ids)s)
     ORDER BY a.position, a.name
"""

AGENTS_BY_ID: LiteralString = """
    SELECT a.id, a.parent_id, a.resource_id, a.name, a.auth_instance_id, a.architecture,
           a.operating_system, a.directory, a.expanded_directory, a.environment_variables,
           a.troubleshooting_url, a.connection_timeout_seconds, a.display_apps,
           a.lifecycle_state, a.version, a.api_version, a.subsystems, a.first_connected_at,
           a.last_connected_at, a.disconnected_at, a.started_at, a.ready_at, a.logs_length,
           a.logs_overflowed, a.created_at, a.updated_at
      FROM workspace_agents a
     WHERE a.id = ANY(%(ids)s)
"""

APPS: LiteralString = """
    SELECT id, agent_id, slug, display_name, icon, command, url, external, subdomain,
           sharing_level, healthcheck_url, healthcheck_interval, healthcheck_threshold, health,
           hidden, open_in, display_group, tooltip
      FROM workspace_apps
     WHERE agent_id = ANY(%(agent_ids)s)
     ORDER BY position, slug
"""

STATUSES: LiteralString = """
    SELECT id, workspace_id, agent_id, app_id, state, message, uri, created_at
      FROM workspace_app_statuses
     WHERE app_id = ANY(%(app_ids)s)
     ORDER BY created_at DESC, id
"""

SCRIPTS: LiteralString = """
    SELECT id, workspace_agent_id, log_source_id, display_name, log_path, script, cron,
           start_blocks_login, run_on_start, run_on_stop, timeout_seconds
      FROM workspace_agent_scripts
     WHERE workspace_agent_id = ANY(%(agent_ids)s)
     ORDER BY position, display_name
"""

LOG_SOURCES: LiteralString = """
    SELECT id, workspace_agent_id, display_name, icon, created_at
      FROM workspace_agent_log_sources
     WHERE workspace_agent_id = ANY(%(agent_ids)s)
     ORDER BY created_at, display_name, id
"""


async def of_jobs(tx: Tx, job_ids: Sequence[UUID]) -> ResourceRows:
    """Return what some jobs made; the number of queries does not depend on how many."""
    args = {"job_ids": list(job_ids)}
    resources = await tx.all(ResourceRow, RESOURCES, args) if job_ids else []
    agents = await tx.all(AgentRow, AGENTS, args) if resources else []
    return await _with_belongings(tx, resources, agents)


async def of_agents(tx: Tx, agent_ids: Sequence[UUID]) -> ResourceRows:
    """Return some agents with what belongs to them, without their resources."""
    agents = await tx.all(AgentRow, AGENTS_BY_ID, {"ids": list(agent_ids)})
    return await _with_belongings(tx, [], agents)


async def _with_belongings(
    tx: Tx, resources: list[ResourceRow], agents: list[AgentRow]
) -> ResourceRows:
    args = {"agent_ids": [agent.id for agent in agents]}
    apps = await tx.all(AppRow, APPS, args) if agents else []
    scripts = await tx.all(ScriptRow, SCRIPTS, args) if agents else []
    sources = await tx.all(LogSourceRow, LOG_SOURCES, args) if agents else []
    app_ids = {"app_ids": [app.id for app in apps]}
    statuses = await tx.all(AppStatusRow, STATUSES, app_ids) if apps else []
    return ResourceRows(resources, agents, apps, statuses, scripts, sources)
