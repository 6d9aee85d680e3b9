"""A small town for the authorization table: every role, and one of everything for each person.

Two organizations, ``coder`` and ``elsewhere``, each with a template. Everybody owns a workspace
``dev`` with one finished build, an agent, a file and a token, and a chat whose turn failed while a
message waited.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID, uuid4

from typing_extensions import override

from coder_cli.sdk.users import LoginType
from server.identity.actions import setup
from server.identity.model.keys import NewKey
from server.identity.store import keys, organizations
from server.kit.authz import Actor, as_system
from server.kit.crypto import hash_secret
from server.kit.db import Database, Tx
from tests.support.people import OPTIONS, add_user

Things = Mapping[str, str]
"""What fills the ``{placeholders}`` of a path."""

TEMPLATE: tuple[LiteralString, ...] = (
    """
    INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
    VALUES (%(file)s, %(file)s::text, %(owner)s, 'application/x-tar', '', now())
    """,
    """
    INSERT INTO provisioner_jobs (id, organization_id, initiator_id, type, file_id, input,
                                  created_at, updated_at, started_at, completed_at)
    VALUES (%(job)s, %(organization)s, %(owner)s, 'template_version_import', %(file)s, '{}',
            now(), now(), now(), now())
    """,
    """
    INSERT INTO templates (id, organization_id, name, active_version_id, created_by, group_acl,
                           max_port_share_level, created_at, updated_at)
    VALUES (%(template)s, %(organization)s, 'starter', %(version)s, %(owner)s,
            jsonb_build_object(%(organization)s, 'use'), 'public', now(), now())
    """,
    """
    INSERT INTO template_versions (id, template_id, organization_id, name, job_id, created_by,
                                   created_at, updated_at)
    VALUES (%(version)s, %(template)s, %(organization)s, 'one', %(job)s, %(owner)s, now(), now())
    """,
    """
    INSERT INTO provisioner_jobs (id, organization_id, initiator_id, type, file_id, input,
                                  created_at, updated_at, started_at, completed_at)
    VALUES (%(draft_job)s, %(organization)s, %(owner)s, 'template_version_import', %(file)s, '{}',
            now(), now(), now(), now())
    """,
    """
    INSERT INTO template_versions (id, template_id, organization_id, name, job_id, created_by,
                                   created_at, updated_at)
    VALUES (%(draft)s, NULL, %(organization)s, 'draft', %(draft_job)s, %(owner)s, now(), now())
    """,
)

WORKSPACE: tuple[LiteralString, ...] = (
    TEMPLATE[0],
    """
    INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, last_used_at,
                            created_at, updated_at)
    VALUES (%(workspace)s, %(owner)s, %(organization)s, %(template)s, 'dev', now(), now(), now())
    """,
    """
    INSERT INTO provisioner_jobs (id, organization_id, initiator_id, type, file_id, input,
                                  created_at, updated_at, started_at, completed_at)
    VALUES (%(job)s, %(organization)s, %(owner)s, 'workspace_build', %(file)s, '{}',
            now(), now(), now(), now())
    """,
    """
    INSERT INTO workspace_builds (id, workspace_id, template_version_id, build_number, transition,
                                  reason, initiator_id, job_id, created_at, updated_at)
    VALUES (%(build)s, %(workspace)s, %(version)s, 1, 'start', 'initiator', %(owner)s, %(job)s,
            now(), now())
    """,
    """
    INSERT INTO workspace_resources (id, job_id, transition, position, type, name, created_at)
    VALUES (%(resource)s, %(job)s, 'start', 0, 'null_resource', 'dev', now())
    """,
    """
    INSERT INTO workspace_agents (id, resource_id, name, auth_token, architecture,
                                  operating_system, created_at, updated_at)
    VALUES (%(agent)s, %(resource)s, 'main', %(agent_token)s, 'amd64', 'linux', now(), now())
    """,
    """
    INSERT INTO workspace_agent_port_shares (workspace_id, agent_name, port, share_level, protocol)
    VALUES (%(workspace)s, 'main', 8080, 'authenticated', 'http')
    """,
    """
    INSERT INTO workspace_resources (id, job_id, transition, position, type, name, created_at)
    VALUES (%(outside)s, %(job)s, 'start', 1, 'coder_external_agent', 'outside', now())
    """,
    """
    INSERT INTO workspace_agents (id, resource_id, name, auth_token, architecture,
                                  operating_system, created_at, updated_at)
    VALUES (%(outside_agent)s, %(outside)s, 'outside', %(outside_token)s, 'amd64', 'linux', now(),
            now())
    """,
    """
    UPDATE workspace_builds SET state = %(state)s WHERE id = %(build)s
    """,
)


MODELS: tuple[LiteralString, ...] = (
    """
    INSERT INTO chat_providers (id, provider, created_at, updated_at)
    VALUES (%(chat_provider)s, 'scripted', now(), now())
    """,
    """
    INSERT INTO chat_model_configs (id, provider, model, is_default, context_limit,
                                    compression_threshold, created_at, updated_at)
    VALUES (%(model)s, 'scripted', 'one', true, 100000, 70, now(), now())
    """,
)

CHAT: tuple[LiteralString, ...] = (
    """
    INSERT INTO chats (id, organization_id, owner_id, workspace_id, last_model_config_id, title,
                       status, queued, created_at, updated_at)
    VALUES (%(chat)s, %(organization)s, %(owner)s, %(workspace)s, %(model)s, 'a chat', 'error', 1,
            now(), now())
    """,
    """
    INSERT INTO chat_files (id, owner_id, organization_id, name, mimetype, data, size_bytes,
                            created_at)
    VALUES (%(chat_file)s, %(owner)s, %(organization)s, 'a.txt', 'text/plain', 'a', 1, now())
    """,
    """
    INSERT INTO chat_diff_statuses (chat_id, git_branch, created_at, updated_at)
    VALUES (%(chat)s, 'main', now(), now())
    """,
)

SAID: LiteralString = """
    INSERT INTO chat_messages (chat_id, created_by, created_at, role, content)
    VALUES (%(chat)s, %(owner)s, now(), 'user', '[{"type": "text", "text": "hello"}]')
    RETURNING id
"""

WAITS: LiteralString = """
    INSERT INTO chat_queued_messages (chat_id, created_by, created_at, position, content)
    VALUES (%(chat)s, %(owner)s, now(), 1, '[{"type": "text", "text": "later"}]')
    RETURNING id
"""


ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "member": ((), (), "coder"),
    "auditor": (("auditor",), (), "coder"),
    "template-admin": (("template-admin",), (), "coder"),
    "user-admin": (("user-admin",), (), "coder"),
    "owner": (("owner",), (), "coder"),
    "organization-admin": ((), ("organization-admin",), "coder"),
    "stranger": ((), ("organization-admin",), "elsewhere"),
    # The two whose things the others try to reach.
    "bob": ((), (), "coder"),
    "eve": ((), (), "elsewhere"),
}
"""Who lives here: site roles, roles in their organization, and its name."""


class Forgetful(Database):
    """A database that takes every unit of work back: each request finds the town as it was."""

    @override
    @asynccontextmanager
    async def tx(self, actor: Actor) -> AsyncGenerator[Tx]:
        async with super().tx(actor) as tx, tx.conn.transaction(force_rollback=True):
            yield tx


@dataclass(frozen=True)
class Inhabitant:
    """Somebody of the town: their session, and what is theirs by the names that paths use."""

    token: str
    things: Things


async def settle(database: Database) -> dict[str, Inhabitant]:
    """Fill an empty database; return everybody by name."""
    async with database.tx(as_system("test")) as tx:
        await setup.default_organization(tx)
        await tx.run(
            """
            INSERT INTO organizations (id, name, created_at, updated_at)
            VALUES (gen_random_uuid(), 'elsewhere', now(), now())
            """
        )
        houses = {
            row["name"]: row["id"] for row in await tx.rows("SELECT id, name FROM organizations")
        }
        models = {"chat_provider": uuid4(), "model": uuid4()}
        for statement in MODELS:
            await tx.run(statement, models)
        return {name: await _move_in(tx, name, houses, models) for name in ROLES}


async def _move_in(
    tx: Tx, name: str, houses: Mapping[str, UUID], models: Mapping[str, UUID]
) -> Inhabitant:
    site, inside, house = ROLES[name]
    user_id, token = await add_user(tx, name, *site)
    await organizations.add_member(tx, houses[house], user_id, list(inside))
    script = await keys.insert(
        tx, NewKey(user_id, OPTIONS.session_duration, LoginType.TOKEN, name="script")
    )
    template = await _template(tx, houses[house], user_id)
    names = "workspace build resource agent job file outside outside_agent chat chat_file"
    ids = {name: uuid4() for name in names.split()}
    outside = str(ids["outside_agent"])
    kept = {"type": "coder_agent", "instances": [{"attributes": {"token": outside}}]}
    args = {
        **template,
        **ids,
        **models,
        "owner": user_id,
        "organization": houses[house],
        "agent_token": hash_secret(str(ids["agent"])),
        "outside_token": hash_secret(outside),
        "state": json.dumps({"resources": [kept]}).encode(),
    }
    for statement in (*WORKSPACE, *CHAT):
        await tx.run(statement, args)
    said = {"message": await tx.value(SAID, args), "queued": await tx.value(WAITS, args)}
    found = {**template, **ids, **models, **said, "group": houses[house]}
    things = {key: str(value) for key, value in found.items()}
    things |= {"user": name, "user_id": str(user_id), "organization": house, "key": script[:10]}
    return Inhabitant(
        token, {**things, "organization_id": str(houses[house]), "provider": "github"}
    )


async def _template(tx: Tx, house: UUID, owner: UUID) -> dict[str, UUID]:
    """Return the ids of the organization's template; its first inhabitant makes it."""
    found = await tx.rows(
        """
        SELECT t.id AS template, v.id AS version, d.id AS draft
          FROM templates t
          JOIN template_versions v ON v.template_id = t.id
          JOIN template_versions d ON d.template_id IS NULL AND d.organization_id = %(house)s
         WHERE t.organization_id = %(house)s
        """,
        {"house": house},
    )
    if found:
        return found[0]
    ids = {name: uuid4() for name in ("template", "version", "job", "file", "draft", "draft_job")}
    for statement in TEMPLATE:
        await tx.run(statement, {**ids, "organization": house, "owner": owner})
    return {name: ids[name] for name in ("template", "version", "draft")}
