"""Users in SQL."""

from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation

from server.identity.errors import Taken
from server.identity.model.people import Account, NewUser, Principal, User, UserFilter
from server.kit.authz import Action, Kind
from server.kit.db import Tx

COLUMNS: LiteralString = """
    u.id, u.email, u.username, u.name, u.status, u.roles, u.login_type, u.avatar_url,
    u.is_service_account, u.created_at, u.updated_at, u.last_seen_at,
    ARRAY(SELECT m.organization_id FROM organization_members m
           WHERE m.user_id = u.id ORDER BY m.created_at, m.organization_id) AS organization_ids
"""

ANY: LiteralString = f"SELECT {COLUMNS} FROM users u WHERE NOT u.deleted"

SEEN: LiteralString = "(%(reach_all)s OR u.id = %(reach_own)s)"

BY_ID: LiteralString = f"{ANY} AND u.id = %(id)s AND {SEEN}"

BY_NAME: LiteralString = f"{ANY} AND lower(u.username) = lower(%(name)s) AND {SEEN}"

KNOWN_ABOUT: LiteralString = f"""
    ({SEEN} OR EXISTS (
        SELECT FROM organization_members m
         WHERE m.user_id = u.id
           AND (%(members_all)s OR m.organization_id = ANY(%(members_organizations)s))))
"""

KNOWN: LiteralString = f"""
    {ANY} AND (u.id = %(id)s::uuid OR lower(u.username) = lower(%(name)s)) AND {KNOWN_ABOUT}
"""

PRINCIPAL: LiteralString = """
    SELECT u.id, u.username, u.status, u.roles,
           coalesce((SELECT jsonb_object_agg(m.organization_id, m.roles)
                       FROM organization_members m
                       JOIN organizations o ON o.id = m.organization_id AND NOT o.deleted
                      WHERE m.user_id = u.id), '{}') AS memberships
      FROM users u
     WHERE u.id = %(id)s AND NOT u.deleted
"""

ANYBODY: LiteralString = f"{ANY} AND u.id = %(id)s"

ANYBODY_BY_NAME: LiteralString = f"{ANY} AND lower(u.username) = lower(%(name)s)"

WANTED: LiteralString = f"""
      NOT u.deleted AND NOT u.is_system AND {SEEN}
      AND (%(search)s = '' OR strpos(lower(u.username), %(search)s) > 0
           OR strpos(lower(u.email), %(search)s) > 0)
      AND (%(name)s = '' OR strpos(lower(u.name), %(name)s) > 0)
      AND (%(status)s::text[] = '{{}}' OR u.status = ANY(%(status)s))
      AND (%(roles)s::text[] = '{{}}' OR u.roles && %(roles)s OR 'member' = ANY(%(roles)s))
      AND (%(login_types)s::text[] = '{{}}' OR u.login_type = ANY(%(login_types)s))
      AND (%(service_account)s::boolean IS NULL OR u.is_service_account = %(service_account)s)
      AND (%(last_seen_after)s::timestamptz IS NULL OR u.last_seen_at >= %(last_seen_after)s)
      AND (%(last_seen_before)s::timestamptz IS NULL OR u.last_seen_at <= %(last_seen_before)s)
      AND (%(created_after)s::timestamptz IS NULL OR u.created_at >= %(created_after)s)
      AND (%(created_before)s::timestamptz IS NULL OR u.created_at <= %(created_before)s)
"""

LIST: LiteralString = f"""
    SELECT {COLUMNS} FROM users u
     WHERE {WANTED}
       AND (%(after_id)s::uuid IS NULL OR lower(u.username) >
            (SELECT lower(a.username) FROM users a WHERE a.id = %(after_id)s))
     ORDER BY lower(u.username)
     LIMIT %(limit)s OFFSET %(offset)s
"""

COUNT: LiteralString = f"SELECT count(*) FROM users u WHERE {WANTED}"

IN_ORGANIZATION: LiteralString = """
      NOT u.deleted AND NOT u.is_system
      AND EXISTS (SELECT FROM organization_members m
                   WHERE m.user_id = u.id AND m.organization_id = %(organization_id)s)
"""

COLLEAGUES: LiteralString = f"""
    SELECT {COLUMNS} FROM users u
     WHERE {IN_ORGANIZATION}
       AND (%(ids)s::uuid[] IS NULL OR u.id = ANY(%(ids)s))
       AND (%(search)s = '' OR strpos(lower(u.username), %(search)s) > 0
            OR strpos(lower(u.email), %(search)s) > 0 OR strpos(lower(u.name), %(search)s) > 0)
     ORDER BY lower(u.username)
     LIMIT %(limit)s OFFSET %(offset)s
"""

COUNT_COLLEAGUES: LiteralString = f"SELECT count(*) FROM users u WHERE {IN_ORGANIZATION}"

SOMEBODY: LiteralString = "SELECT EXISTS (SELECT FROM users WHERE NOT is_system)"

LOCK_SETUP: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('first user'))"

ACCOUNT: LiteralString = """
    SELECT id, username, status, roles, login_type, hashed_password
      FROM users WHERE lower(email) = lower(%(email)s) AND NOT deleted AND NOT is_system
"""

ACCOUNT_BY_ID: LiteralString = """
    SELECT id, username, status, roles, login_type, hashed_password
      FROM users WHERE id = %(id)s AND NOT deleted
"""

LOCK: LiteralString = "SELECT id FROM users WHERE id = %(id)s FOR UPDATE"

INSERT: LiteralString = """
    INSERT INTO users (id, email, username, name, hashed_password, status, roles, login_type,
                       is_service_account, created_at, updated_at)
    VALUES (%(id)s, %(email)s, %(username)s, %(name)s, %(hashed)s, %(status)s, %(roles)s,
            %(login_type)s, %(is_service_account)s, %(now)s, %(now)s)
"""

SET_PROFILE: LiteralString = """
    UPDATE users SET username = %(username)s, name = %(name)s, updated_at = %(now)s
     WHERE id = %(id)s
"""

SET_STATUS: LiteralString = """
    UPDATE users SET status = %(status)s, updated_at = %(now)s WHERE id = %(id)s
"""

SET_HASH: LiteralString = """
    UPDATE users SET hashed_password = %(hashed)s, updated_at = %(now)s WHERE id = %(id)s
"""

SET_ROLES: LiteralString = """
    UPDATE users SET roles = %(roles)s, updated_at = %(now)s WHERE id = %(id)s
"""

HAS_WORKSPACES: LiteralString = """
    SELECT EXISTS (SELECT FROM workspaces WHERE owner_id = %(id)s AND NOT deleted)
"""

BURY: LiteralString = """
    WITH keys AS (DELETE FROM api_keys WHERE user_id = %(id)s),
         git AS (DELETE FROM git_ssh_keys WHERE user_id = %(id)s),
         memberships AS (DELETE FROM organization_members WHERE user_id = %(id)s)
    UPDATE users
       SET deleted = true, roles = '{}', hashed_password = '', updated_at = %(now)s
     WHERE id = %(id)s
"""

SEEN_AT_LOGIN: LiteralString = """
    UPDATE users
       SET last_seen_at = %(now)s,
           status = CASE WHEN status = 'dormant' THEN 'active' ELSE status END
     WHERE id = %(id)s
"""

CONFIG: LiteralString = """
    SELECT value FROM user_configs WHERE user_id = %(id)s AND key = %(key)s
"""

SET_CONFIG: LiteralString = """
    INSERT INTO user_configs (user_id, key, value) VALUES (%(id)s, %(key)s, %(value)s)
    ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value
"""


async def get(tx: Tx, user_id: UUID) -> User | None:
    """Return the user if the actor may see them."""
    return await tx.one(User, BY_ID, {**_reach(tx), "id": user_id})


async def get_named(tx: Tx, username: str) -> User | None:
    """Return the user of that name if the actor may see them."""
    return await tx.one(User, BY_NAME, {**_reach(tx), "name": username})


async def known(tx: Tx, who: UUID | str) -> User | None:
    """Return the user if the actor may see them, as a user or as a member of an organization."""
    members = tx.actor.reach(Action.READ, Kind.ORGANIZATION_MEMBER)
    args = {
        **_reach(tx),
        "members_all": members.all,
        "members_organizations": members.organizations,
        "id": who if isinstance(who, UUID) else None,
        "name": who if isinstance(who, str) else "",
    }
    return await tx.one(User, KNOWN, args)


async def principal(tx: Tx, user_id: UUID) -> Principal | None:
    """Return what a user may do, whoever asks, unless they were deleted."""
    return await tx.one(Principal, PRINCIPAL, {"id": user_id})


async def anybody(tx: Tx, user_id: UUID) -> User | None:
    """Return the user, whoever asks."""
    return await tx.one(User, ANYBODY, {"id": user_id})


async def anybody_named(tx: Tx, username: str) -> User | None:
    """Return the user of that name, whoever asks."""
    return await tx.one(User, ANYBODY_BY_NAME, {"name": username})


async def listed(tx: Tx, wanted: UserFilter, page: dict[str, Any]) -> tuple[list[User], int]:
    """Return one page of the users the actor may see, and how many there are in all."""
    args = {
        **_reach(tx),
        "search": wanted.search,
        "name": wanted.name,
        "status": wanted.status,
        "roles": wanted.roles,
        "login_types": wanted.login_types,
        "service_account": wanted.service_account,
        "last_seen_after": wanted.last_seen_after,
        "last_seen_before": wanted.last_seen_before,
        "created_after": wanted.created_after,
        "created_before": wanted.created_before,
    }
    users = await tx.all(User, LIST, {**args, **page})
    return users, await tx.value(COUNT, args)


async def colleagues(
    tx: Tx, organization_id: UUID, page: dict[str, Any], *, ids: list[UUID] | None, search: str
) -> list[User]:
    """Return one page of an organization's people, whoever asks; ``ids`` None is all of them."""
    args = {"organization_id": organization_id, "ids": ids, "search": search.lower()}
    return await tx.all(User, COLLEAGUES, {**args, **page})


async def count_colleagues(tx: Tx, organization_id: UUID) -> int:
    """Return how many people an organization has, whoever asks."""
    return int(await tx.value(COUNT_COLLEAGUES, {"organization_id": organization_id}))


async def somebody_exists(tx: Tx) -> bool:
    """Tell whether the deployment was set up; deleted users count."""
    return bool(await tx.value(SOMEBODY))


async def lock_setup(tx: Tx) -> None:
    """Let nobody else set the deployment up until this unit of work ends."""
    await tx.value(LOCK_SETUP)


async def account(tx: Tx, email: str) -> Account | None:
    """Return what a log-in needs to know, whoever asks."""
    return await tx.one(Account, ACCOUNT, {"email": email})


async def account_of(tx: Tx, user_id: UUID) -> Account | None:
    """Return what a change of password needs to know, whoever asks."""
    return await tx.one(Account, ACCOUNT_BY_ID, {"id": user_id})


async def insert(tx: Tx, new: NewUser, hashed: str, roles: list[str]) -> UUID:
    """Store a new user and return their id.

    Raises:
        Taken: somebody has the username or the email.
    """
    user_id = uuid4()
    args = {
        "id": user_id,
        "email": new.email,
        "username": new.username,
        "name": new.name,
        "hashed": hashed,
        "status": new.status,
        "roles": roles,
        "login_type": new.login_type,
        "is_service_account": new.is_service_account,
        "now": tx.now,
    }
    try:
        async with tx.savepoint():
            await tx.run(INSERT, args)
    except UniqueViolation as error:
        raise _taken(error) from error
    return user_id


async def lock(tx: Tx, user_id: UUID) -> None:
    """Let nobody else change this user, or give them something, until the unit of work ends."""
    await tx.value(LOCK, {"id": user_id})


async def set_profile(tx: Tx, user_id: UUID, username: str, name: str) -> None:
    """Rename a user.

    Raises:
        Taken: somebody has the username.
    """
    args = {"id": user_id, "username": username, "name": name, "now": tx.now}
    try:
        async with tx.savepoint():
            await tx.run(SET_PROFILE, args)
    except UniqueViolation as error:
        raise _taken(error) from error


async def set_status(tx: Tx, user_id: UUID, status: str) -> None:
    """Suspend or activate a user."""
    await tx.run(SET_STATUS, {"id": user_id, "status": status, "now": tx.now})


async def set_password(tx: Tx, user_id: UUID, hashed: str) -> None:
    """Store the hash of a new password."""
    await tx.run(SET_HASH, {"id": user_id, "hashed": hashed, "now": tx.now})


async def set_roles(tx: Tx, user_id: UUID, roles: list[str]) -> None:
    """Store the full set of site roles."""
    await tx.run(SET_ROLES, {"id": user_id, "roles": roles, "now": tx.now})


async def has_workspaces(tx: Tx, user_id: UUID) -> bool:
    """Tell whether any workspace belongs to the user."""
    return bool(await tx.value(HAS_WORKSPACES, {"id": user_id}))


async def bury(tx: Tx, user_id: UUID) -> None:
    """Mark a user deleted; keys and memberships go, the row stays for what refers to it."""
    await tx.run(BURY, {"id": user_id, "now": tx.now})


async def seen_at_login(tx: Tx, user_id: UUID) -> None:
    """Write that a user logged in; a dormant one wakes up."""
    await tx.run(SEEN_AT_LOGIN, {"id": user_id, "now": tx.now})


async def config(tx: Tx, user_id: UUID, key: str) -> str:
    """Return a preference, or an empty string."""
    return str(await tx.value(CONFIG, {"id": user_id, "key": key}) or "")


async def set_config(tx: Tx, user_id: UUID, key: str, value: str) -> None:
    """Store a preference."""
    await tx.run(SET_CONFIG, {"id": user_id, "key": key, "value": value})


def _reach(tx: Tx) -> dict[str, Any]:
    return tx.actor.reach(Action.READ, Kind.USER).args()


def _taken(error: UniqueViolation) -> Taken:
    field = "email" if error.diag.constraint_name == "users_email_key" else "username"
    return Taken("User already exists.", field)
