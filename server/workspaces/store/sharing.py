"""Rows of who is let into workspaces, and of ports that are open to others."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import LiteralString
from uuid import UUID

from server.kit.authz import Shares
from server.kit.db import Tx, jsonb
from server.workspaces.model import PortShare, Sharer

SET_LISTS: LiteralString = """
    UPDATE workspaces SET user_acl = %(users)s, group_acl = %(groups)s, updated_at = %(now)s
     WHERE id = %(id)s
"""

# The group of everybody has its organization's id.
SHARERS: LiteralString = """
    SELECT u.id, false AS "group", u.username AS name, u.name AS display_name, u.avatar_url,
           0 AS members
      FROM users u
     WHERE u.id::text = ANY(%(users)s) AND NOT u.deleted
    UNION ALL
    SELECT o.id, true, 'Everyone', o.display_name, '',
           (SELECT count(*)::integer FROM organization_members m
              JOIN users u ON u.id = m.user_id AND NOT u.deleted
             WHERE m.organization_id = o.id)
      FROM organizations o
     WHERE o.id::text = ANY(%(groups)s) AND NOT o.deleted
     ORDER BY 2, 3
"""

MEMBERS: LiteralString = """
    SELECT u.id, lower(u.username) AS username
      FROM organization_members m
      JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = %(organization_id)s AND NOT u.deleted
       AND (u.id::text = ANY(%(who)s) OR lower(u.username) = ANY(%(who)s))
"""

PORTS: LiteralString = """
    SELECT workspace_id, agent_name, port, share_level, protocol
      FROM workspace_agent_port_shares
     WHERE workspace_id = %(id)s
     ORDER BY agent_name, port
"""

UPSERT_PORT: LiteralString = """
    INSERT INTO workspace_agent_port_shares (workspace_id, agent_name, port, share_level, protocol)
    VALUES (%(workspace_id)s, %(agent_name)s, %(port)s, %(share_level)s, %(protocol)s)
        ON CONFLICT (workspace_id, agent_name, port)
        DO UPDATE SET share_level = excluded.share_level, protocol = excluded.protocol
"""

DELETE_PORT: LiteralString = """
    DELETE FROM workspace_agent_port_shares
     WHERE workspace_id = %(id)s AND agent_name = %(agent_name)s AND port = %(port)s
"""

MOST: LiteralString = """
    SELECT t.max_port_share_level
      FROM workspaces w
      JOIN templates t ON t.id = w.template_id
     WHERE w.id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an organization, as somebody may call them."""

    id: UUID
    username: str


async def set_lists(tx: Tx, workspace_id: UUID, users: Shares, groups: Shares) -> None:
    """Write whom a workspace lets in."""
    args = {
        "id": workspace_id,
        "users": jsonb(dict(users)),
        "groups": jsonb(dict(groups)),
        "now": tx.now,
    }
    await tx.run(SET_LISTS, args)


async def sharers(tx: Tx, users: Iterable[str], groups: Iterable[str]) -> dict[str, Sharer]:
    """Return whom lists of access name, by id: users, then groups, by name."""
    wanted = {"users": sorted(set(users)), "groups": sorted(set(groups))}
    if not wanted["users"] and not wanted["groups"]:
        return {}
    return {str(one.id): one for one in await tx.all(Sharer, SHARERS, wanted)}


async def members(tx: Tx, organization_id: UUID, who: Sequence[str]) -> dict[str, UUID]:
    """Return the organization's members among ``who``, by whichever of id or name was given."""
    wanted = [one.lower() for one in who]
    args = {"organization_id": organization_id, "who": wanted}
    found = await tx.all(Member, MEMBERS, args)
    return {word: one.id for one in found for word in (str(one.id), one.username)}


async def ports(tx: Tx, workspace_id: UUID) -> list[PortShare]:
    """Return the ports of a workspace that are open to others."""
    return await tx.all(PortShare, PORTS, {"id": workspace_id})


async def upsert_port(tx: Tx, share: PortShare) -> None:
    """Open a port to others, or change to whom."""
    await tx.run(UPSERT_PORT, asdict(share))


async def delete_port(tx: Tx, workspace_id: UUID, agent_name: str, port: int) -> bool:
    """Close a port to others; return whether it was open."""
    args = {"id": workspace_id, "agent_name": agent_name, "port": port}
    return await tx.run(DELETE_PORT, args) > 0


async def most(tx: Tx, workspace_id: UUID) -> str:
    """Return to how many the template lets ports be opened."""
    level: str = await tx.value(MOST, {"id": workspace_id})
    return level
