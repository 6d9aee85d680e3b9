"""Which agent runs on a machine of a cloud, and the key that its tokens come from."""

import secrets
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

_FEATURE = "instance_identity"

NEWEST: LiteralString = """
    SELECT a.id AS agent_id, j.type AS job_type, w.deleted IS NOT TRUE AS living,
           b.build_number = (SELECT max(n.build_number) FROM workspace_builds n
                              WHERE n.workspace_id = b.workspace_id) AS latest
      FROM workspace_agents a
      JOIN workspace_resources r ON r.id = a.resource_id
      JOIN provisioner_jobs j ON j.id = r.job_id
      LEFT JOIN workspace_builds b ON b.job_id = j.id
      LEFT JOIN workspaces w ON w.id = b.workspace_id
     WHERE a.auth_instance_id = %(instance)s AND a.parent_id IS NULL
     ORDER BY a.created_at DESC, b.build_number DESC
     LIMIT 1
"""
LOGIN: LiteralString = """
    UPDATE workspace_agents SET auth_token = %(hashed)s
     WHERE id = %(agent_id)s AND auth_token <> %(hashed)s
"""
MAKE_KEY: LiteralString = """
    INSERT INTO crypto_keys (feature, sequence, secret, starts_at)
    VALUES (%(feature)s, 1, %(secret)s, %(now)s) ON CONFLICT DO NOTHING
"""
KEY: LiteralString = """
    SELECT secret FROM crypto_keys WHERE feature = %(feature)s ORDER BY sequence DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """The newest agent of a machine."""

    agent_id: UUID
    job_type: str
    living: bool
    latest: bool | None


async def newest(tx: Tx, instance: str) -> Machine | None:
    """Return the agent that the last job put on the machine."""
    return await tx.one(Machine, NEWEST, {"instance": instance})


async def key(tx: Tx) -> bytes:
    """Return the secret that tokens of machines are made with; make it when there is none."""
    made = {"feature": _FEATURE, "secret": secrets.token_bytes(32), "now": tx.now}
    await tx.run(MAKE_KEY, made)
    return bytes(await tx.value(KEY, {"feature": _FEATURE}))


async def set_token(tx: Tx, agent_id: UUID, hashed: bytes) -> None:
    """Let the agent log in with the token of this hash."""
    await tx.run(LOGIN, {"agent_id": agent_id, "hashed": hashed})
