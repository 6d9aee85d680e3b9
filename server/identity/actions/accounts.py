"""Accounts: made, shown, renamed, locked out, let in, deleted; their passwords and preferences."""

import asyncio

from coder_cli.sdk.users import LoginType, UserStatus
from server.identity import policy
from server.identity.actions import find, git_keys
from server.identity.actions.setup import default_organization
from server.identity.errors import HasWorkspaces, WrongOldPassword
from server.identity.events import AccessChanged
from server.identity.model import passwords
from server.identity.model.options import IdentityOptions
from server.identity.model.people import NewUser, User, UserFilter
from server.identity.store import git_keys as pairs
from server.identity.store import keys, organizations, people
from server.kit.authz import Action, Actor
from server.kit.db import Database, Tx
from server.kit.errors import FieldError, Forbidden, Invalid
from server.kit.routing import Page


async def create(db: Database, actor: Actor, new: NewUser, options: IdentityOptions) -> User:
    """Make an account and take it into its organizations (the default one, if none is named).

    Raises:
        Forbidden: the actor may not make accounts, or not in one of the organizations.
        Taken: the username or the email is in use.
        Invalid: the password is too weak, or does not go with the login type.
    """
    policy.may_create_users(actor)
    _check_login(new, options)
    hashed = ""
    if new.login_type == LoginType.PASSWORD:
        hashed = await asyncio.to_thread(options.passwords.hash, new.password)
    pair = await git_keys.generate(options.ssh_keygen_algorithm)
    async with db.tx(actor) as tx:
        wanted = new.organization_ids or ((await default_organization(tx)).id,)
        joined = [(await find.resolve_organization(tx, each)).id for each in wanted]
        policy.may_add_members(actor, joined)
        user_id = await people.insert(tx, new, hashed, [])
        for organization_id in dict.fromkeys(joined):
            await organizations.add_member(tx, organization_id, user_id, [])
        await pairs.put(tx, user_id, *pair)
        return await find.user(tx, user_id)


async def listed(tx: Tx, wanted: UserFilter, page: Page) -> tuple[list[User], int]:
    """Return one page of the users that the actor may see, and how many there are in all."""
    return await people.listed(tx, wanted, {**page.args(), "after_id": page.after_id})


async def delete(tx: Tx, who: str) -> None:
    """Delete an account; what it made stays.

    Raises:
        Forbidden: it is the actor's own, or out of the actor's reach.
        HasWorkspaces: workspaces belong to it.
    """
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.DELETE, user)
    policy.may_remove(tx.actor, user)
    if user.id == tx.actor.id:
        raise Forbidden("You cannot delete yourself!")
    # The lock holds off a workspace that is being created for this very user.
    await people.lock(tx, user.id)
    if await people.has_workspaces(tx, user.id):
        raise HasWorkspaces
    await people.bury(tx, user.id)
    await tx.announce(AccessChanged(user_id=user.id))


async def rename(tx: Tx, who: str, username: str, name: str) -> User:
    """Change a username and full name.

    Raises:
        Taken: somebody has the username.
    """
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.UPDATE_PERSONAL, user)
    await people.set_profile(tx, user.id, username, name)
    return await find.user(tx, user.id)


async def suspend(tx: Tx, who: str) -> User:
    """Lock an account out; its sessions stop to work at once.

    Raises:
        Invalid: it is the actor's own, or an owner's.
    """
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.UPDATE, user)
    if user.id == tx.actor.id:
        raise Invalid("You cannot suspend yourself.")
    if "owner" in user.roles:
        raise Invalid(
            'You cannot suspend a user with the "owner" role. You must remove the role first.'
        )
    return await _set_status(tx, user, UserStatus.SUSPENDED)


async def activate(tx: Tx, who: str) -> User:
    """Let an account in again."""
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.UPDATE, user)
    return await _set_status(tx, user, UserStatus.ACTIVE)


async def change_password(
    db: Database, actor: Actor, who: str, change: tuple[str, str], options: IdentityOptions
) -> None:
    """Set a new password (``change`` is the new and the old one); every other session ends.

    Raises:
        WrongOldPassword: it is the actor's own account, and the old password is another.
        WeakPassword: the new one can be guessed.
        RoleNotYours: with this account, the actor would gain roles.
    """
    password, old = change
    async with db.tx(actor) as tx:
        user = await find.visible_user(tx, who)
        policy.may(actor, Action.UPDATE_PERSONAL, user)
        held = await organizations.memberships(tx, user.id)
        policy.outranks(actor, user, [role for roles in held.values() for role in roles])
        account = await people.account_of(tx, user.id)
    if account is None or account.login_type != LoginType.PASSWORD:
        raise Invalid("Users without password login type cannot change their password.")
    passwords.require_strong(password)
    verify = options.passwords.verify
    if user.id == actor.id and not await asyncio.to_thread(verify, old, account.hashed_password):
        raise WrongOldPassword
    if await asyncio.to_thread(verify, password, account.hashed_password):
        same = FieldError("password", "New password cannot match old password.")
        raise Invalid("New password cannot match old password.", fields=[same])
    hashed = await asyncio.to_thread(options.passwords.hash, password)
    async with db.tx(actor) as tx:
        await people.set_password(tx, user.id, hashed)
        await keys.delete_others(tx, user.id, but=actor.key_id)
        await tx.announce(AccessChanged(user_id=user.id))


async def preference(tx: Tx, who: str, *names: str) -> list[str]:
    """Return an account's preferences, empty where none was set."""
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.READ_PERSONAL, user)
    return [await people.config(tx, user.id, name) for name in names]


async def set_preferences(tx: Tx, who: str, values: dict[str, str]) -> None:
    """Store preferences of an account."""
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.UPDATE_PERSONAL, user)
    for name, value in values.items():
        await people.set_config(tx, user.id, name, value)


async def login_type(tx: Tx, who: str) -> str:
    """Return how an account logs in."""
    user = await find.visible_user(tx, who)
    policy.may(tx.actor, Action.READ_PERSONAL, user)
    return user.login_type


async def _set_status(tx: Tx, user: User, status: UserStatus) -> User:
    await people.set_status(tx, user.id, status)
    await tx.announce(AccessChanged(user_id=user.id))
    return await find.user(tx, user.id)


def _check_login(new: NewUser, options: IdentityOptions) -> None:
    """Refuse a password where none belongs, and a weak one where one does."""
    if new.login_type != LoginType.PASSWORD:
        if new.password:
            wrong = FieldError("password", "Password cannot be set for this login type.")
            raise Invalid("Password cannot be set for this login type.", fields=[wrong])
        return
    if options.disable_password_auth:
        raise Forbidden(
            "Password based authentication is disabled! "
            "Unable to provision new users with password authentication."
        )
    passwords.require_strong(new.password)
