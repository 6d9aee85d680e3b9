"""Find people and organizations by what a path says: an id, a name, ``me`` or ``default``.

Hidden and missing are the same refusal.
"""

from typing import TypeVar
from uuid import UUID

from server.identity.model.organizations import Member, Organization
from server.identity.model.people import User
from server.identity.store import organizations, people
from server.kit.db import Tx
from server.kit.errors import NotFound

T = TypeVar("T")

ME = "me"
DEFAULT = "default"


async def user(tx: Tx, user_id: UUID) -> User:
    """Return the user with this id, whoever asks; for what they own.

    Raises:
        NotFound: there is none, or they were deleted.
    """
    return _found(await people.anybody(tx, user_id))


async def anybody(tx: Tx, who: str) -> User:
    """Return the user called ``who``, whoever asks; the caller's own rule must come first.

    Raises:
        NotFound: there is none.
    """
    wanted = tx.actor.user_id if who == ME else _id(who)
    if wanted is not None:
        return await user(tx, wanted)
    return _found(await people.anybody_named(tx, who))


async def resolve_user(tx: Tx, who: str) -> User:
    """Return the user called ``who`` (an id, a name, or ``me``), to find what they own.

    The actor sees them as a user, or as a member of an organization whose members it may see.

    Raises:
        NotFound: there is none, or the actor may not know of them.
    """
    if who == ME:
        return await user(tx, tx.actor.user_id)
    return _found(await people.known(tx, _id(who) or who))


async def visible_user(tx: Tx, who: str) -> User:
    """Return the user called ``who`` if the actor may read the account itself.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    wanted = tx.actor.user_id if who == ME else _id(who)
    if wanted is not None:
        return _found(await people.get(tx, wanted))
    return _found(await people.get_named(tx, who))


async def resolve_organization(tx: Tx, which: str | UUID) -> Organization:
    """Return the organization called ``which``: an id, a name, or ``default``.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    wanted = which if isinstance(which, UUID) else _id(which)
    if wanted is not None:
        return _found(await organizations.get(tx, wanted))
    if which == DEFAULT:
        default = await organizations.default(tx)
        return _found(default and await organizations.get(tx, default.id))
    return _found(await organizations.get_named(tx, str(which)))


async def resolve_member(tx: Tx, organization_id: UUID, who: str) -> Member:
    """Return the member called ``who`` of an organization.

    Raises:
        NotFound: there is none, or the actor may not see who belongs to it.
    """
    wanted = tx.actor.user_id if who == ME else _id(who) or who
    return _found(await organizations.member(tx, organization_id, wanted))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _found(thing: T | None) -> T:
    if thing is None:
        raise NotFound
    return thing
