"""Rows of a workspace with an agent, written directly: no terraform, no other room's rules."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from server.identity.actions import setup
from server.kit.authz import as_system
from server.kit.crypto import hash_secret
from server.kit.db import Database, Tx, jsonb

ME = as_system("test")

FILE = """
    INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
    VALUES (%(file)s, %(file)s, %(owner)s, 'application/x-tar', '', %(now)s)
"""
JOB = """
    INSERT INTO provisioner_jobs
           (id, organization_id, initiator_id, type, file_id, input, created_at, updated_at,
            started_at, completed_at)
    VALUES (%(job)s, %(organization)s, %(owner)s, %(type)s, %(file)s, '{}', %(now)s, %(now)s,
            %(now)s, %(completed)s)
"""
TEMPLATE = """
    INSERT INTO templates
           (id, organization_id, name, active_version_id, created_by, created_at, updated_at)
    VALUES (%(template)s, %(organization)s, %(template)s, %(version)s, %(owner)s, %(now)s, %(now)s)
"""
VERSION = """
    INSERT INTO template_versions
           (id, template_id, organization_id, name, job_id, created_by, created_at, updated_at)
    VALUES (%(version)s, %(template)s, %(organization)s, 'v1', %(job)s, %(owner)s, %(now)s, %(now)s)
"""
WORKSPACE = """
    INSERT INTO workspaces
           (id, owner_id, organization_id, template_id, name, last_used_at, created_at, updated_at)
    VALUES (%(workspace)s, %(owner)s, %(organization)s, %(template)s, %(name)s,
            '2020-01-01T00:00:00Z', %(now)s, %(now)s)
"""
BUILD = """
    INSERT INTO workspace_builds
           (id, workspace_id, template_version_id, build_number, transition, reason, initiator_id,
            job_id, created_at, updated_at)
    SELECT %(build)s, %(workspace)s, %(version)s,
           1 + coalesce(max(b.build_number), 0), %(transition)s, 'initiator', %(owner)s, %(job)s,
           %(now)s, %(now)s
      FROM workspace_builds b WHERE b.workspace_id = %(workspace)s
"""
RESOURCE = """
    INSERT INTO workspace_resources (id, job_id, transition, position, type, name, created_at)
    VALUES (%(resource)s, %(job)s, 'start', 0, 'null_resource', 'dev', %(now)s)
"""
AGENT = """
    INSERT INTO workspace_agents
           (id, resource_id, name, auth_token, api_key_scope, architecture, operating_system,
            directory, environment_variables, motd_file, metadata, created_at, updated_at)
    VALUES (%(agent)s, %(resource)s, 'main', %(hashed)s, %(scope)s, 'amd64', 'linux', '~/src',
            '{"GREETING": "hello"}', '/etc/motd', %(metadata)s, %(now)s, %(now)s)
"""
METADATA = """
    INSERT INTO workspace_agent_metadata (workspace_agent_id, key, collected_at)
    SELECT %(agent)s, item ->> 'key', '0001-01-01T00:00:00Z'
      FROM jsonb_array_elements(%(metadata)s) item
"""
SOURCE = """
    INSERT INTO workspace_agent_log_sources (id, workspace_agent_id, display_name, created_at)
    VALUES (%(source)s, %(agent)s, 'Startup', %(now)s)
"""
SCRIPT = """
    INSERT INTO workspace_agent_scripts
           (id, workspace_agent_id, log_source_id, display_name, script, run_on_start,
            timeout_seconds, created_at)
    VALUES (%(script)s, %(agent)s, %(source)s, 'Startup', 'echo hi', true, 90, %(now)s)
"""
APP = """
    INSERT INTO workspace_apps (id, agent_id, slug, health, subdomain, healthcheck_url, created_at)
    VALUES (%(app)s, %(agent)s, 'web', 'initializing', true, 'http://localhost:8080', %(now)s)
"""
CPU = {"key": "cpu", "script": "top", "display_name": "CPU", "interval": 10, "timeout": 1}


@dataclass(frozen=True)
class AgentRows:
    """A workspace's agent and what belongs to it."""

    id: UUID = field(default_factory=uuid4)
    token: str = field(default_factory=lambda: str(uuid4()))
    workspace_id: UUID = field(default_factory=uuid4)
    owner_id: UUID = field(default_factory=uuid4)
    version_id: UUID = field(default_factory=uuid4)
    job_id: UUID = field(default_factory=uuid4)
    script_id: UUID = field(default_factory=uuid4)
    source_id: UUID = field(default_factory=uuid4)
    app_id: UUID = field(default_factory=uuid4)


async def add_agent(
    database: Database, owner_id: UUID, *, name: str = "dev", scope: str = "all"
) -> AgentRows:
    """Write a workspace whose first build has made one agent."""
    async with database.tx(ME) as tx:
        args: dict[str, Any] = {
            "owner": owner_id,
            "organization": (await setup.default_organization(tx)).id,
            "template": uuid4(),
            "version": uuid4(),
            "workspace": uuid4(),
            "file": uuid4(),
            "job": uuid4(),
            "name": name,
            "type": "template_version_import",
            "completed": tx.now,
            "now": tx.now,
        }
        for statement in (FILE, JOB, TEMPLATE, VERSION, WORKSPACE):
            await tx.run(statement, args)
        rows = AgentRows(
            workspace_id=args["workspace"], owner_id=owner_id, version_id=args["version"]
        )
        await _build(tx, rows, rows.job_id)
        await _agent(tx, rows, rows.job_id, scope)
    return rows


async def add_build(
    database: Database, of: AgentRows, transition: str = "start", *, completed: bool = True
) -> UUID:
    """Write a later build of the same workspace, without agents; return its job."""
    job_id = uuid4()
    async with database.tx(ME) as tx:
        await _build(tx, of, job_id, transition, completed=completed)
    return job_id


async def complete(database: Database, job_id: UUID) -> None:
    """Let a build's job end."""
    async with database.tx(ME) as tx:
        await tx.run(
            "UPDATE provisioner_jobs SET completed_at = %(now)s WHERE id = %(id)s",
            {"id": job_id, "now": tx.now},
        )


async def add_agent_to(database: Database, of: AgentRows, job_id: UUID, token: str) -> AgentRows:
    """Write the agent that a later build made."""
    rows = AgentRows(
        token=token, workspace_id=of.workspace_id, owner_id=of.owner_id, version_id=of.version_id
    )
    async with database.tx(ME) as tx:
        await _agent(tx, rows, job_id, "all")
    return rows


async def _build(
    tx: Tx, of: AgentRows, job_id: UUID, transition: str = "start", *, completed: bool = True
) -> None:
    args: dict[str, Any] = {
        "job": job_id,
        "build": uuid4(),
        "workspace": of.workspace_id,
        "version": of.version_id,
        "owner": of.owner_id,
        "organization": (await setup.default_organization(tx)).id,
        "type": "workspace_build",
        "transition": transition,
        "file": await tx.value("SELECT id FROM files LIMIT 1"),
        "completed": tx.now if completed else None,
        "now": tx.now,
    }
    await tx.run(JOB, args)
    await tx.run(BUILD, args)


async def _agent(tx: Tx, rows: AgentRows, job_id: UUID, scope: str) -> None:
    args: dict[str, Any] = {
        "agent": rows.id,
        "resource": uuid4(),
        "job": job_id,
        "hashed": hash_secret(rows.token),
        "scope": scope,
        "metadata": jsonb([CPU]),
        "script": rows.script_id,
        "source": rows.source_id,
        "app": rows.app_id,
        "now": tx.now,
    }
    for statement in (RESOURCE, AGENT, METADATA, SOURCE, SCRIPT, APP):
        await tx.run(statement, args)
