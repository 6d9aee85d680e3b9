"""Log-in, the check of every request's key, and log-out."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from coder_cli.sdk.users import LoginType, UserStatus
from server.identity.errors import AccountSuspended, SignedOut, WrongCredentials
from server.identity.events import AccessChanged
from server.identity.model import keys as rules
from server.identity.model import roles
from server.identity.model.keys import Credential, NewKey
from server.identity.model.options import IdentityOptions
from server.identity.model.people import Account
from server.identity.store import keys, people
from server.kit.authz import Actor, as_system
from server.kit.crypto import hash_secret, same, split_api_key
from server.kit.db import Database, Tx
from server.kit.errors import Forbidden

NOBODY = hash_secret("")


async def authenticate(db: Database, token: str, ip: str, options: IdentityOptions) -> Actor:
    """Return who holds ``token``. One query; a write at most once an hour.

    Raises:
        SignedOut: no such key, a wrong secret, or one that expired.
        NotActive: the user is suspended.
    """
    if not token:
        raise SignedOut('Cookie "coder_session_token" or query parameter must be provided.')
    parts = split_api_key(token)
    if parts is None:
        raise SignedOut("Invalid API key format.")
    key_id, secret = parts
    async with db.look(as_system("authenticate")) as tx:
        found = await keys.credential(tx, key_id)
        # Compared even when there is no key, so that time does not tell ids that exist.
        genuine = same(hash_secret(secret), found.hashed_secret if found else NOBODY)
        if found is None or not genuine:
            raise SignedOut("API key is invalid.")
        rules.check(found, tx.now)
        touched = rules.touch(found, tx.now, refresh=not options.disable_expiry_refresh)
        if touched is not None:
            await keys.touch(tx, key_id, touched, ip)
    return _actor(found, options)


async def log_in(db: Database, email: str, password: str, ip: str, options: IdentityOptions) -> str:
    """Return a new session's token for whoever knows the password.

    Raises:
        WrongCredentials: no such user, or another password.
        AccountSuspended: the password is right, but the user is locked out.
        Forbidden: this user, or nobody, may log in with a password.
    """
    me = as_system("log in")
    async with db.tx(me) as tx:
        account = await people.account(tx, email)
    hashed = account.hashed_password if account and account.hashed_password else ""
    genuine = await asyncio.to_thread(
        options.passwords.verify, password, hashed or options.passwords.dummy
    )
    if account is None or not hashed or not genuine:
        raise WrongCredentials
    _may_log_in(account, options)
    async with db.tx(me) as tx:
        await people.seen_at_login(tx, account.id)
        new = NewKey(account.id, options.session_duration, LoginType.PASSWORD, ip_address=ip)
        return await keys.insert(tx, new)


async def log_out(tx: Tx) -> None:
    """End the session that the actor came with."""
    await keys.delete(tx, tx.actor.key_id)
    await tx.announce(AccessChanged(user_id=tx.actor.user_id))


def _may_log_in(account: Account, options: IdentityOptions) -> None:
    if options.disable_password_auth and roles.OWNER not in account.roles:
        raise Forbidden("Password authentication is disabled!")
    if account.login_type != LoginType.PASSWORD:
        raise Forbidden(
            f'Incorrect login type, attempting to use "password" but user is of login type '
            f'"{account.login_type}"'
        )
    if account.status == UserStatus.SUSPENDED:
        raise AccountSuspended


def _actor(credential: Credential, options: IdentityOptions) -> Actor:
    return Actor(
        id=credential.user_id,
        label=credential.username,
        roles=roles.effective(
            credential.roles,
            owners_enter_workspaces=not options.disable_owner_workspace_access,
        ),
        organizations=_memberships(credential.memberships),
        key_id=credential.key_id,
        scopes=frozenset(credential.scopes),
    )


def _memberships(stored: Mapping[str, list[str]]) -> dict[UUID, frozenset[str]]:
    return {UUID(organization): frozenset(names) for organization, names in stored.items()}
