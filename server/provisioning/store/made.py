"""Write what terraform made: resources, agents, apps, scripts, each with a new id."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, LiteralString
from uuid import UUID, uuid4

from server.kit.crypto import hash_secret
from server.kit.db import Tx, jsonb
from server.terraform import Agent, App, Devcontainer, Resource, Transition

INSERT_RESOURCE: LiteralString = """
    INSERT INTO workspace_resources
           (id, job_id, transition, position, type, name, hide, icon, instance_type, daily_cost,
            module_path, metadata, created_at)
    VALUES (%(id)s, %(job_id)s, %(transition)s, %(position)s, %(type)s, %(name)s, %(hide)s,
            %(icon)s, %(instance_type)s, %(daily_cost)s, %(module_path)s, %(metadata)s, %(now)s)
"""

INSERT_AGENT: LiteralString = """
    INSERT INTO workspace_agents
           (id, parent_id, resource_id, name, position, auth_token, auth_instance_id,
            api_key_scope, architecture, operating_system, directory, environment_variables,
            motd_file, troubleshooting_url, connection_timeout_seconds, display_apps,
            resources_monitoring, metadata, created_at, updated_at)
    VALUES (%(id)s, %(parent_id)s, %(resource_id)s, %(name)s, %(position)s, %(auth_token)s,
            %(auth_instance_id)s, %(api_key_scope)s, %(architecture)s, %(operating_system)s,
            %(directory)s, %(environment_variables)s, %(motd_file)s, %(troubleshooting_url)s,
            %(connection_timeout_seconds)s, %(display_apps)s, %(resources_monitoring)s,
            %(metadata)s, %(now)s, %(now)s)
"""

INSERT_METADATA: LiteralString = """
    INSERT INTO workspace_agent_metadata (workspace_agent_id, key, collected_at)
    VALUES (%(agent_id)s, %(key)s, '0001-01-01 00:00:00+00')
"""

INSERT_LOG_SOURCE: LiteralString = """
    INSERT INTO workspace_agent_log_sources (id, workspace_agent_id, display_name, icon, created_at)
    VALUES (%(log_source_id)s, %(agent_id)s, %(display_name)s, %(icon)s, %(now)s)
"""

INSERT_SCRIPT: LiteralString = """
    INSERT INTO workspace_agent_scripts
           (id, workspace_agent_id, log_source_id, display_name, log_path, script, cron,
            start_blocks_login, run_on_start, run_on_stop, timeout_seconds, position, created_at)
    VALUES (%(id)s, %(agent_id)s, %(log_source_id)s, %(display_name)s, %(log_path)s, %(script)s,
            %(cron)s, %(start_blocks_login)s, %(run_on_start)s, %(run_on_stop)s,
            %(timeout_seconds)s, %(position)s, %(now)s)
"""

INSERT_APP: LiteralString = """
    INSERT INTO workspace_apps
           (id, agent_id, slug, display_name, icon, command, url, external, subdomain,
            sharing_level, healthcheck_url, healthcheck_interval, healthcheck_threshold, health,
            hidden, open_in, display_group, tooltip, position, created_at)
    VALUES (%(id)s, %(agent_id)s, %(slug)s, %(display_name)s, %(icon)s, %(command)s, %(url)s,
            %(external)s, %(subdomain)s, %(sharing_level)s, %(healthcheck_url)s,
            %(healthcheck_interval)s, %(healthcheck_threshold)s, %(health)s, %(hidden)s,
            %(open_in)s, %(display_group)s, %(tooltip)s, %(position)s, %(now)s)
"""

INSERT_DEVCONTAINER: LiteralString = """
    INSERT INTO workspace_agent_devcontainers
           (id, workspace_agent_id, name, workspace_folder, config_path, subagent_id, inside,
            created_at)
    VALUES (%(id)s, %(agent_id)s, %(name)s, %(workspace_folder)s, %(config_path)s,
            %(subagent_id)s, %(inside)s, %(now)s)
"""


async def save_resources(
    tx: Tx,
    job_id: UUID,
    transition: Transition,
    resources: Sequence[Resource],
    *,
    with_agents: bool = True,
) -> list[UUID]:
    """Write what a job made; return the ids of its agents, in order.

    Without agents nobody can log in with what is written: a template's import lists agents that
    do not exist yet, so it strips their tokens instead.
    """
    made = [(uuid4(), resource) for resource in resources]
    rows = [_resource(row_id, position, r) for position, (row_id, r) in enumerate(made)]
    shared = {"job_id": job_id, "transition": str(transition), "now": tx.now}
    await tx.many(INSERT_RESOURCE, [{**row, **shared} for row in rows])
    if not with_agents:
        return []
    agents = [(uuid4(), row_id, agent) for row_id, resource in made for agent in resource.agents]
    await tx.many(INSERT_AGENT, [_agent(tx, *agent) for agent in agents])
    for agent_id, _, agent in agents:
        await _save_belongings(tx, agent_id, agent)
    return [agent_id for agent_id, _, _ in agents]


def _resource(row_id: UUID, position: int, resource: Resource) -> dict[str, Any]:
    return {
        "id": row_id,
        "position": position,
        "type": resource.type,
        "name": resource.name,
        "hide": resource.hide,
        "icon": resource.icon,
        "instance_type": resource.instance_type,
        "daily_cost": resource.daily_cost,
        "module_path": resource.module_path,
        "metadata": jsonb([asdict(item) for item in resource.metadata if not item.is_null]),
    }


def _agent(tx: Tx, agent_id: UUID, resource_id: UUID, agent: Agent) -> dict[str, Any]:
    return {
        "id": agent_id,
        "parent_id": None,
        "resource_id": resource_id,
        "name": agent.name,
        "position": agent.order,
        # Nobody knows a random hash's token: an agent without one cannot log in by token.
        "auth_token": hash_secret(agent.token.lower()) if agent.token else secrets.token_bytes(32),
        "auth_instance_id": agent.instance_id or None,
        "api_key_scope": agent.api_key_scope,
        "architecture": agent.architecture,
        "operating_system": agent.operating_system,
        "directory": agent.directory,
        "environment_variables": jsonb(dict(agent.env)),
        "motd_file": agent.motd_file,
        "troubleshooting_url": agent.troubleshooting_url,
        "connection_timeout_seconds": agent.connection_timeout_seconds,
        "display_apps": list(agent.display_apps),
        "resources_monitoring": jsonb(_monitoring(agent)),
        "metadata": jsonb([asdict(item) for item in agent.metadata]),
        "now": tx.now,
    }


def _monitoring(agent: Agent) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if agent.memory_monitor is not None:
        found["memory"] = asdict(agent.memory_monitor)
    if agent.volume_monitors:
        found["volumes"] = [asdict(volume) for volume in agent.volume_monitors]
    return found


async def _save_belongings(tx: Tx, agent_id: UUID, agent: Agent) -> None:
    keys = dict.fromkeys(item.key for item in agent.metadata)
    await tx.many(INSERT_METADATA, [{"agent_id": agent_id, "key": key} for key in keys])
    scripts: list[dict[str, Any]] = [
        {
            **asdict(script),
            "id": uuid4(),
            "agent_id": agent_id,
            "log_source_id": uuid4(),
            "position": position,
            "now": tx.now,
        }
        for position, script in enumerate(agent.scripts)
    ]
    await tx.many(INSERT_LOG_SOURCE, scripts)
    await tx.many(INSERT_SCRIPT, scripts)
    await tx.many(INSERT_APP, list(_apps(tx, agent_id, agent.apps)))
    containers = [_devcontainer(tx, agent_id, one) for one in agent.devcontainers]
    await tx.many(INSERT_DEVCONTAINER, containers)


def _devcontainer(tx: Tx, agent_id: UUID, one: Devcontainer) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "agent_id": agent_id,
        "name": one.name,
        "workspace_folder": one.workspace_folder,
        "config_path": one.config_path,
        "subagent_id": _assigned(one.subagent_id),
        "inside": jsonb(
            {
                "apps": [asdict(app) for app in one.apps],
                "scripts": [asdict(script) for script in one.scripts],
                "env": dict(one.env),
            }
        ),
        "now": tx.now,
    }


def _assigned(text: str) -> UUID | None:
    """Return an id that terraform has made; what is none is not worth a failed build."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _apps(tx: Tx, agent_id: UUID, apps: Sequence[App]) -> Iterable[dict[str, Any]]:
    for app in apps:
        check = app.healthcheck
        yield {
            "id": uuid4(),
            "agent_id": agent_id,
            "slug": app.slug,
            "display_name": app.display_name,
            "icon": app.icon,
            "command": app.command,
            "url": app.url,
            "external": app.external,
            "subdomain": app.subdomain,
            "sharing_level": app.sharing_level,
            "healthcheck_url": check.url if check else "",
            "healthcheck_interval": check.interval if check else 0,
            "healthcheck_threshold": check.threshold if check else 0,
            "health": "initializing" if check else "disabled",
            "hidden": app.hidden,
            "open_in": app.open_in,
            "display_group": app.group,
            "tooltip": app.tooltip,
            "position": app.order,
            "now": tx.now,
        }
