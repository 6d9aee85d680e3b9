"""Rows of chats: find, lock, insert, and write what a move made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, LiteralString
from uuid import UUID

from server.chats.model import Chat, Lease, Status
from server.kit.authz import Action, Kind
from server.kit.db import Tx, jsonb

COLUMNS: LiteralString = """
    c.id, c.organization_id, c.owner_id, u.username AS owner_username, u.name AS owner_name,
    c.workspace_id, c.build_id, c.agent_id, c.parent_chat_id, c.root_chat_id,
    c.last_model_config_id, c.last_reasoning_effort, c.title, c.title_source, c.status, c.mode,
    c.plan_mode, c.last_error, c.archived, c.pin_order, c.labels, c.mcp_server_ids, c.client_type,
    c.dynamic_tools, c.snapshot_version, c.history_version, c.queue_version, c.queued,
    c.generation_attempt, c.retry_state, c.requires_action_deadline_at, c.compaction_requested_at,
    c.worker_id, c.runner_id, c.stopped_runner_id, c.started_at, c.created_at, c.updated_at,
    EXISTS (SELECT 1 FROM chat_messages m
             WHERE m.chat_id = c.id AND m.id > c.last_read_message_id AND m.role = 'assistant'
               AND m.visibility <> 'model' AND NOT m.deleted) AS has_unread
"""
"""Of ``chats c JOIN users u``: what a ``Chat`` is read from."""

REACHED: LiteralString = """
    (%(reach_all)s OR c.organization_id = ANY(%(reach_organizations)s)
     OR (c.owner_id = %(reach_own)s AND c.organization_id = ANY(%(reach_own_organizations)s)))
"""
"""Whether the actor may do it to the chat; other statements of this room use it, too."""

BY_ID: LiteralString = f"""
    SELECT {COLUMNS} FROM chats c JOIN users u ON u.id = c.owner_id
     WHERE c.id = %(id)s AND {REACHED}
"""
LOCK: LiteralString = f"{BY_ID} FOR UPDATE OF c"
FAMILY: LiteralString = f"""
    SELECT {COLUMNS} FROM chats c JOIN users u ON u.id = c.owner_id
     WHERE c.id = %(root)s OR c.root_chat_id = %(root)s
     ORDER BY c.id FOR UPDATE OF c
"""
CHILDREN: LiteralString = f"""
    SELECT {COLUMNS} FROM chats c JOIN users u ON u.id = c.owner_id
     WHERE c.parent_chat_id = %(parent)s
     ORDER BY c.created_at DESC, c.id DESC
"""
INSERT: LiteralString = """
    INSERT INTO chats (id, organization_id, owner_id, workspace_id, build_id, agent_id,
                       parent_chat_id, root_chat_id, last_model_config_id, last_reasoning_effort,
                       title, title_source, status, mode, plan_mode, labels, mcp_server_ids,
                       client_type, dynamic_tools, created_at, updated_at)
    VALUES (%(id)s, %(organization_id)s, %(owner_id)s, %(workspace_id)s, %(build_id)s,
            %(agent_id)s, %(parent_chat_id)s, %(root_chat_id)s, %(model_config_id)s,
            %(reasoning_effort)s, %(title)s, %(title_source)s, 'running', %(mode)s, %(plan_mode)s,
            %(labels)s, %(mcp_server_ids)s, %(client_type)s, %(dynamic_tools)s, %(now)s, %(now)s)
"""
LEFT: LiteralString = """
    gone AS (DELETE FROM chat_heartbeats h
              WHERE h.chat_id = %(id)s AND h.runner_id IS DISTINCT FROM %(runner_id)s::uuid)
"""
STATE: LiteralString = """
    status = %(status)s, archived = %(archived)s, queued = %(queued)s,
    last_error = %(last_error)s, worker_id = %(worker_id)s, runner_id = %(runner_id)s,
    stopped_runner_id = %(stopped_runner_id)s, started_at = %(started_at)s,
    generation_attempt = %(generation_attempt)s, retry_state = %(retry_state)s,
    requires_action_deadline_at = %(requires_action_deadline_at)s,
    compaction_requested_at = %(compaction_requested_at)s, plan_mode = %(plan_mode)s,
    mcp_server_ids = %(mcp_server_ids)s, pin_order = %(pin_order)s
"""
"""What a move makes of a row (``state_args``)."""
SAVE: LiteralString = f"""
    WITH {LEFT}
    UPDATE chats
       SET {STATE},
           snapshot_version = snapshot_version + 1,
           queue_version = queue_version + %(queue_changed)s::int,
           updated_at = %(now)s
     WHERE id = %(id)s
 RETURNING snapshot_version, history_version, queue_version
"""
LEASE: LiteralString = """
    SELECT runner_id, expires_at FROM chat_heartbeats WHERE chat_id = %(id)s
"""
BIND: LiteralString = """
    UPDATE chats
       SET workspace_id = %(workspace_id)s, build_id = %(build_id)s, agent_id = %(agent_id)s,
           snapshot_version = snapshot_version + 1, updated_at = %(now)s
     WHERE id = %(id)s
 RETURNING snapshot_version, history_version, queue_version
"""
PINS: LiteralString = """
    UPDATE chats c SET pin_order = p.place
      FROM (SELECT id, row_number() OVER (ORDER BY pin_order, id) AS place
              FROM chats WHERE owner_id = %(owner)s AND pin_order > 0 AND NOT archived) p
     WHERE c.id = p.id AND c.pin_order <> p.place
"""


@dataclass(frozen=True, slots=True)
class NewChat:
    """A chat to be made; its first turn waits for a worker at once."""

    id: UUID
    organization_id: UUID
    owner_id: UUID
    title: str
    model_config_id: UUID
    title_source: str = "fallback"
    workspace_id: UUID | None = None
    build_id: UUID | None = None
    agent_id: UUID | None = None
    parent_chat_id: UUID | None = None
    root_chat_id: UUID | None = None
    reasoning_effort: str = ""
    mode: str | None = None
    plan_mode: str = ""
    client_type: str = "api"
    labels: Mapping[str, str] | None = None
    mcp_server_ids: Sequence[UUID] = ()
    dynamic_tools: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Versions:
    """The numbers of a row after a change."""

    snapshot_version: int
    history_version: int
    queue_version: int


async def by_id(tx: Tx, chat_id: UUID, action: Action = Action.READ) -> Chat | None:
    """Return the chat if the actor may do ``action`` to it."""
    reach = tx.actor.reach(action, Kind.CHAT)
    return await tx.one(Chat, BY_ID, {"id": chat_id, **reach.args()})


async def lock(tx: Tx, chat_id: UUID) -> Chat | None:
    """Return the chat if the actor may see it; nobody else changes it until the commit."""
    reach = tx.actor.reach(Action.READ, Kind.CHAT)
    return await tx.one(Chat, LOCK, {"id": chat_id, **reach.args()})


async def lock_family(tx: Tx, root_id: UUID) -> list[Chat]:
    """Return a root and its children, locked in the order of their ids."""
    return await tx.all(Chat, FAMILY, {"root": root_id})


async def children(tx: Tx, parent_id: UUID) -> list[Chat]:
    """Return the chats that ``parent_id`` made, newest first; whoever sees it sees them."""
    return await tx.all(Chat, CHILDREN, {"parent": parent_id})


async def insert(tx: Tx, chat: NewChat) -> None:
    """Write a new chat."""
    args = {
        **asdict(chat),
        "labels": jsonb(dict(chat.labels or {})),
        "mcp_server_ids": list(chat.mcp_server_ids),
        "dynamic_tools": jsonb([dict(tool) for tool in chat.dynamic_tools]),
        "now": tx.now,
    }
    await tx.run(INSERT, args)


async def set_state(tx: Tx, chat: Chat, *, queue_changed: bool = False) -> Chat:
    """Write what a move made of a locked row; return it with its new versions."""
    args = {"queue_changed": queue_changed, "now": tx.now, **state_args(chat)}
    return with_versions(chat, tx, await tx.one(Versions, SAVE, args))


def state_args(chat: Chat) -> dict[str, Any]:
    """Return the arguments of ``STATE`` and ``LEFT``."""
    return {
        "id": chat.id,
        "status": chat.status.value,
        "archived": chat.archived,
        "queued": chat.queued,
        "last_error": None if chat.last_error is None else jsonb(dict(chat.last_error)),
        "worker_id": chat.worker_id,
        "runner_id": chat.runner_id,
        "stopped_runner_id": chat.stopped_runner_id,
        "started_at": chat.started_at,
        "generation_attempt": chat.generation_attempt,
        "retry_state": None if chat.retry_state is None else jsonb(chat.retry_state),
        "requires_action_deadline_at": chat.requires_action_deadline_at,
        "compaction_requested_at": chat.compaction_requested_at,
        "plan_mode": chat.plan_mode,
        "mcp_server_ids": list(chat.mcp_server_ids),
        "pin_order": chat.pin_order,
    }


async def bind(
    tx: Tx, chat: Chat, workspace_id: UUID | None, build_id: UUID | None, agent_id: UUID | None
) -> Chat:
    """Write which workspace the chat works in."""
    args = {
        "id": chat.id,
        "workspace_id": workspace_id,
        "build_id": build_id,
        "agent_id": agent_id,
        "now": tx.now,
    }
    bound = replace(chat, workspace_id=workspace_id, build_id=build_id, agent_id=agent_id)
    return with_versions(bound, tx, await tx.one(Versions, BIND, args))


async def lease_lives(tx: Tx, chat: Chat) -> bool:
    """Tell whether the chat's runner still says that it works."""
    if chat.runner_id is None:
        return False
    lease = await tx.one(Lease, LEASE, {"id": chat.id})
    return lease is not None and lease.runner_id == chat.runner_id and lease.expires_at > tx.now


async def close_pin_gaps(tx: Tx, owner_id: UUID) -> None:
    """Number the owner's pinned chats from 1 again."""
    await tx.run(PINS, {"owner": owner_id})


def with_versions(chat: Chat, tx: Tx, versions: Versions | None) -> Chat:
    """Return a row with the numbers that a statement gave it."""
    if versions is None:  # The row is locked: it cannot be gone.
        raise LookupError(chat.id)
    return replace(
        chat,
        status=Status(chat.status),
        snapshot_version=versions.snapshot_version,
        history_version=versions.history_version,
        queue_version=versions.queue_version,
        updated_at=tx.now,
    )
