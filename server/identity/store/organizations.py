"""Organizations and memberships in SQL."""

from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation

from server.identity.errors import Taken
from server.identity.model.organizations import DEFAULT_NAME, Member, Organization
from server.kit.authz import Action, Kind, Object
from server.kit.db import Tx

COLUMNS: LiteralString = """
    o.id, o.name, o.display_name, o.description, o.icon, o.is_default, o.created_at, o.updated_at
"""

SEEN: LiteralString = "(%(reach_all)s OR o.id = ANY(%(reach_organizations)s))"

LIST: LiteralString = f"""
    SELECT {COLUMNS} FROM organizations o WHERE NOT o.deleted AND {SEEN} ORDER BY lower(o.name)
"""

OF_USER: LiteralString = f"""
    SELECT {COLUMNS}
      FROM organizations o
      JOIN organization_members m ON m.organization_id = o.id AND m.user_id = %(user_id)s
     WHERE NOT o.deleted AND {SEEN}
     ORDER BY lower(o.name)
"""

BY_ID: LiteralString = f"""
    SELECT {COLUMNS} FROM organizations o WHERE NOT o.deleted AND {SEEN} AND o.id = %(id)s
"""

BY_NAME: LiteralString = f"""
    SELECT {COLUMNS} FROM organizations o
     WHERE NOT o.deleted AND {SEEN} AND lower(o.name) = lower(%(name)s)
"""

DEFAULT: LiteralString = f"SELECT {COLUMNS} FROM organizations o WHERE o.is_default"

INSERT_DEFAULT: LiteralString = """
    INSERT INTO organizations (id, name, display_name, description, is_default,
                               created_at, updated_at)
    VALUES (%(id)s, %(name)s, 'Coder', 'The organization that everybody begins in.', true,
            %(now)s, %(now)s)
    ON CONFLICT DO NOTHING
"""

ALL_IDS: LiteralString = "SELECT id FROM organizations WHERE NOT deleted"

MEMBER_COLUMNS: LiteralString = """
    m.user_id, m.organization_id, m.roles, m.created_at, m.updated_at,
    u.username, u.name, u.avatar_url, u.email, u.roles AS global_roles
"""

MEMBER_SEEN: LiteralString = """
    (%(reach_all)s OR m.organization_id = ANY(%(reach_organizations)s)
     OR (m.user_id = %(reach_own)s AND m.organization_id = ANY(%(reach_own_organizations)s)))
"""

MEMBERS_WANTED: LiteralString = f"""
          m.organization_id = %(organization_id)s AND NOT u.deleted AND {MEMBER_SEEN}
      AND (%(user_id)s::uuid IS NULL OR m.user_id = %(user_id)s)
      AND (%(include_system)s OR NOT u.is_system)
"""

MEMBERS: LiteralString = f"""
    SELECT {MEMBER_COLUMNS}
      FROM organization_members m JOIN users u ON u.id = m.user_id
     WHERE {MEMBERS_WANTED}
     ORDER BY lower(u.username)
     LIMIT %(limit)s OFFSET %(offset)s
"""

COUNT_MEMBERS: LiteralString = f"""
    SELECT count(*) FROM organization_members m JOIN users u ON u.id = m.user_id
     WHERE {MEMBERS_WANTED}
"""

MEMBER_BY_NAME: LiteralString = f"""
    SELECT {MEMBER_COLUMNS}
      FROM organization_members m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = %(organization_id)s AND NOT u.deleted AND {MEMBER_SEEN}
       AND (m.user_id = %(user_id)s::uuid OR lower(u.username) = lower(%(name)s))
"""

MEMBERSHIPS: LiteralString = """
    SELECT m.organization_id, m.roles
      FROM organization_members m
      JOIN organizations o ON o.id = m.organization_id AND NOT o.deleted
     WHERE m.user_id = %(user_id)s
     ORDER BY m.created_at, m.organization_id
"""

ADD_MEMBER: LiteralString = """
    INSERT INTO organization_members (organization_id, user_id, roles, created_at, updated_at)
    VALUES (%(organization_id)s, %(user_id)s, %(roles)s, %(now)s, %(now)s)
"""

REMOVE_MEMBER: LiteralString = """
    DELETE FROM organization_members
     WHERE organization_id = %(organization_id)s AND user_id = %(user_id)s
"""

SET_MEMBER_ROLES: LiteralString = """
    UPDATE organization_members SET roles = %(roles)s, updated_at = %(now)s
     WHERE organization_id = %(organization_id)s AND user_id = %(user_id)s
"""

WORKSPACE_SUBJECT: LiteralString = """
    SELECT owner_id, organization_id, user_acl, group_acl FROM workspaces WHERE id = %(id)s
"""

TEMPLATE_SUBJECT: LiteralString = """
    SELECT NULL::uuid AS owner_id, organization_id, user_acl, group_acl
      FROM templates
     WHERE id = %(id)s
"""


async def listed(tx: Tx) -> list[Organization]:
    """Return the organizations the actor may see."""
    return await tx.all(Organization, LIST, _reach(tx))


async def of_user(tx: Tx, user_id: UUID) -> list[Organization]:
    """Return the organizations a user belongs to, as far as the actor may see them."""
    return await tx.all(Organization, OF_USER, {**_reach(tx), "user_id": user_id})


async def get(tx: Tx, organization_id: UUID) -> Organization | None:
    """Return the organization if the actor may see it."""
    return await tx.one(Organization, BY_ID, {**_reach(tx), "id": organization_id})


async def get_named(tx: Tx, name: str) -> Organization | None:
    """Return the organization of that name if the actor may see it."""
    return await tx.one(Organization, BY_NAME, {**_reach(tx), "name": name})


async def default(tx: Tx) -> Organization | None:
    """Return the default organization, whoever asks."""
    return await tx.one(Organization, DEFAULT)


async def insert_default(tx: Tx) -> None:
    """Make the default organization unless it is there."""
    await tx.run(INSERT_DEFAULT, {"id": uuid4(), "name": DEFAULT_NAME, "now": tx.now})


async def all_ids(tx: Tx) -> list[UUID]:
    """Return the ids of all organizations, whoever asks."""
    return await tx.values(ALL_IDS)


async def members(
    tx: Tx, organization_id: UUID, wanted: dict[str, Any], page: dict[str, Any]
) -> tuple[list[Member], int]:
    """Return one page of the members the actor may see, and how many there are in all."""
    args = {**_reach_members(tx), "organization_id": organization_id, **wanted}
    found = await tx.all(Member, MEMBERS, {**args, **page})
    return found, await tx.value(COUNT_MEMBERS, args)


async def member(tx: Tx, organization_id: UUID, who: UUID | str) -> Member | None:
    """Return a member by id or username if the actor may see them."""
    args = {
        **_reach_members(tx),
        "organization_id": organization_id,
        "user_id": who if isinstance(who, UUID) else None,
        "name": who if isinstance(who, str) else "",
    }
    return await tx.one(Member, MEMBER_BY_NAME, args)


async def memberships(tx: Tx, user_id: UUID) -> dict[UUID, list[str]]:
    """Return a user's roles in each of their organizations, whoever asks."""
    rows = await tx.rows(MEMBERSHIPS, {"user_id": user_id})
    return {row["organization_id"]: row["roles"] for row in rows}


async def add_member(tx: Tx, organization_id: UUID, user_id: UUID, roles: list[str]) -> None:
    """Take a user into an organization.

    Raises:
        Taken: they are in it.
    """
    args = {
        "organization_id": organization_id,
        "user_id": user_id,
        "roles": roles,
        "now": tx.now,
    }
    try:
        async with tx.savepoint():
            await tx.run(ADD_MEMBER, args)
    except UniqueViolation as error:
        raise Taken("User is already an organization member.") from error


async def remove_member(tx: Tx, organization_id: UUID, user_id: UUID) -> None:
    """Take a user out of an organization."""
    await tx.run(REMOVE_MEMBER, {"organization_id": organization_id, "user_id": user_id})


async def set_member_roles(tx: Tx, organization_id: UUID, user_id: UUID, roles: list[str]) -> None:
    """Store the full set of roles a member holds in an organization."""
    args = {
        "organization_id": organization_id,
        "user_id": user_id,
        "roles": roles,
        "now": tx.now,
    }
    await tx.run(SET_MEMBER_ROLES, args)


async def belonging(tx: Tx, kind: Kind, thing: UUID) -> Object:
    """Return what rights on a workspace or template are asked for, whoever asks."""
    statement = WORKSPACE_SUBJECT if kind is Kind.WORKSPACE else TEMPLATE_SUBJECT
    for row in await tx.rows(statement, {"id": thing}):
        return Object(kind, thing, **row)
    return Object(kind, thing)


def _reach(tx: Tx) -> dict[str, Any]:
    return tx.actor.reach(Action.READ, Kind.ORGANIZATION).args()


def _reach_members(tx: Tx) -> dict[str, Any]:
    return tx.actor.reach(Action.READ, Kind.ORGANIZATION_MEMBER).args()
