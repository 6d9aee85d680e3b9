"""The first user, the default organization, and the rescue of a deployment without an owner."""

import asyncio
from uuid import UUID

from coder_cli.kit import names
from server.identity.actions import git_keys
from server.identity.errors import FirstUserExists, NoFirstUser
from server.identity.events import AccessChanged
from server.identity.model import passwords, roles
from server.identity.model.options import IdentityOptions
from server.identity.model.organizations import Organization
from server.identity.model.people import NewUser, User
from server.identity.store import git_keys as pairs
from server.identity.store import keys, organizations, people
from server.kit.authz import as_system
from server.kit.db import Database, Tx
from server.kit.errors import FieldError, Invalid, NotFound


async def default_organization(tx: Tx) -> Organization:
    """Return the default organization; make it if this deployment has none yet."""
    found = await organizations.default(tx)
    if found is None:
        await organizations.insert_default(tx)
        found = await organizations.default(tx)
    if found is None:
        raise NotFound
    return found


async def require_first_user(db: Database) -> None:
    """Refuse while nobody has set the deployment up.

    Raises:
        NoFirstUser: there is no user.
    """
    async with db.tx(as_system("first user")) as tx:
        if not await people.somebody_exists(tx):
            raise NoFirstUser


async def create_first_user(
    db: Database, new: NewUser, options: IdentityOptions
) -> tuple[UUID, UUID]:
    """Set the deployment up with its owner; return the user's and the organization's id.

    Of any number of callers at once, exactly one succeeds.

    Raises:
        FirstUserExists: somebody was first.
        Invalid: a name, the email or the password is not acceptable.
    """
    me = as_system("first user")
    async with db.tx(me) as tx:
        # Asked before the slow hash, so that a deployment in use does no work for strangers.
        if await people.somebody_exists(tx):
            raise FirstUserExists
    check(new)
    hashed = await asyncio.to_thread(options.passwords.hash, new.password)
    pair = await git_keys.generate(options.ssh_keygen_algorithm)
    async with db.tx(me) as tx:
        await people.lock_setup(tx)
        if await people.somebody_exists(tx):
            raise FirstUserExists
        organization = await default_organization(tx)
        user_id = await people.insert(tx, new, hashed, [roles.OWNER])
        await organizations.add_member(tx, organization.id, user_id, [])
        await pairs.put(tx, user_id, *pair)
    return user_id, organization.id


async def create_admin(db: Database, new: NewUser, options: IdentityOptions) -> User:
    """Make an owner who belongs to every organization, from the server's own machine.

    Raises:
        Taken: the username or the email is in use.
        Invalid: a name, the email or the password is not acceptable.
    """
    check(new)
    hashed = await asyncio.to_thread(options.passwords.hash, new.password)
    pair = await git_keys.generate(options.ssh_keygen_algorithm)
    async with db.tx(as_system("create admin user")) as tx:
        await default_organization(tx)
        user_id = await people.insert(tx, new, hashed, [roles.OWNER])
        for organization in await organizations.all_ids(tx):
            await organizations.add_member(tx, organization, user_id, ["organization-admin"])
        await pairs.put(tx, user_id, *pair)
        made = await people.anybody(tx, user_id)
    if made is None:
        raise NotFound
    return made


async def reset_password(
    db: Database, username: str, password: str, options: IdentityOptions
) -> None:
    """Give a user a new password from the server's own machine; their sessions end.

    Raises:
        NotFound: nobody is called ``username``.
        WeakPassword: the password can be guessed.
    """
    async with db.tx(as_system("reset password")) as tx:
        user = await people.anybody_named(tx, username)
    if user is None:
        raise NotFound(f"There is no user called {username!r}.")
    passwords.require_strong(password)
    hashed = await asyncio.to_thread(options.passwords.hash, password)
    async with db.tx(as_system("reset password")) as tx:
        await people.set_password(tx, user.id, hashed)
        await keys.delete_others(tx, user.id, but="")
        await tx.announce(AccessChanged(user_id=user.id))


def check(new: NewUser) -> None:
    """Refuse an account with a bad name, email or password; an empty password is checked too.

    Raises:
        Invalid: one field error for each bad name.
        WeakPassword: the password can be guessed.
    """
    complaints = {
        "username": names.check_name(new.username),
        "email": names.check_email(new.email),
        "name": names.check_real_name(new.name),
    }
    fields = [FieldError(field, why) for field, why in complaints.items() if why]
    if fields:
        raise Invalid("Validation failed.", fields=fields)
    passwords.require_strong(new.password)
