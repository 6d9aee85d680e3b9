"""Who belongs to which organization, and which roles people hold where."""

from collections.abc import Sequence
from uuid import UUID

from server.identity import policy
from server.identity.actions import find
from server.identity.events import AccessChanged
from server.identity.model import roles
from server.identity.model.organizations import Member, Organization
from server.identity.model.people import HeldRole, OwnerFacts, User
from server.identity.store import git_keys, organizations, people
from server.kit.authz import Action
from server.kit.db import Tx
from server.kit.errors import Invalid, NotFound
from server.kit.query import Query, bad
from server.kit.routing import Page


async def organizations_seen(tx: Tx) -> list[Organization]:
    """Return the organizations that the actor may see."""
    return await organizations.listed(tx)


async def organizations_of(tx: Tx, who: str) -> list[Organization]:
    """Return the organizations a user belongs to."""
    user = await find.visible_user(tx, who)
    return await organizations.of_user(tx, user.id)


async def organization_of(tx: Tx, who: str, which: str) -> Organization:
    """Return one organization that a user belongs to.

    Raises:
        NotFound: they do not, or it is hidden.
    """
    user = await find.visible_user(tx, who)
    organization = await find.resolve_organization(tx, which)
    if organization.id not in user.organization_ids:
        raise NotFound
    return organization


async def members(tx: Tx, organization: str, query: Query, page: Page) -> tuple[list[Member], int]:
    """Return one page of an organization's members, and how many there are in all."""
    found = await find.resolve_organization(tx, organization)
    wanted = {"user_id": _user_id(query), "include_system": query.flag("include_system") or False}
    if query.text("github_user_id"):
        # Nobody is linked to GitHub before log-in with it exists.
        return [], 0
    return await organizations.members(tx, found.id, wanted, page.args())


async def member(tx: Tx, organization: str, who: str) -> Member:
    """Return one member of an organization.

    Raises:
        NotFound: there is none, or the actor may not see them.
    """
    found = await find.resolve_organization(tx, organization)
    return await find.resolve_member(tx, found.id, who)


async def add_member(tx: Tx, organization: str, who: str) -> Member:
    """Take a user into an organization.

    Whoever may add members may name any user, also one whose account is hidden from them.

    Raises:
        Taken: the user is a member.
    """
    found = await find.resolve_organization(tx, organization)
    policy.may_add_members(tx.actor, [found.id])
    user = await find.anybody(tx, who)
    await organizations.add_member(tx, found.id, user.id, [])
    return await find.resolve_member(tx, found.id, str(user.id))


async def remove_member(tx: Tx, organization: str, who: str) -> None:
    """Take a user out of an organization; what they own there stays, out of their reach.

    Raises:
        Invalid: it is the actor itself.
        RoleNotYours: the member holds a role that the actor may not take away.
    """
    found = await find.resolve_organization(tx, organization)
    member = await find.resolve_member(tx, found.id, who)
    tx.actor.require(Action.DELETE, policy.member(found.id, member.user_id))
    if member.user_id == tx.actor.id:
        raise Invalid("You cannot remove yourself from an organization.")
    await organizations.remove_member(tx, found.id, member.user_id)
    await tx.announce(AccessChanged(user_id=member.user_id))


async def set_member_roles(tx: Tx, organization: str, who: str, wanted: Sequence[str]) -> Member:
    """Give a member exactly these roles in an organization.

    Raises:
        Invalid: an unknown role, or the actor's own.
        RoleNotYours: a role that the actor may not give or take.
    """
    found = await find.resolve_organization(tx, organization)
    member = await find.resolve_member(tx, found.id, who)
    names = roles.known(wanted, roles.ORGANIZATION)
    policy.may_assign_in(tx.actor, found.id, roles.changed(member.roles, names))
    if member.user_id == tx.actor.id:
        raise Invalid("You cannot change your own organization roles.")
    await organizations.set_member_roles(tx, found.id, member.user_id, names)
    await tx.announce(AccessChanged(user_id=member.user_id))
    return await find.resolve_member(tx, found.id, str(member.user_id))


async def set_roles(tx: Tx, who: str, wanted: Sequence[str]) -> User:
    """Give a user exactly these site roles.

    Raises:
        Invalid: an unknown role, or the actor's own.
        RoleNotYours: a role that the actor may not give or take.
    """
    user = await find.visible_user(tx, who)
    names = roles.known(wanted, roles.SITE)
    policy.may_assign(tx.actor, roles.changed(user.roles, names))
    if user.id == tx.actor.id:
        raise Invalid("You cannot change your own roles.")
    await people.set_roles(tx, user.id, names)
    await tx.announce(AccessChanged(user_id=user.id))
    return await find.user(tx, user.id)


async def roles_of(tx: Tx, who: str) -> tuple[list[str], dict[UUID, list[str]]]:
    """Return a user's site roles, and those held in each organization."""
    user = await find.visible_user(tx, who)
    return user.roles, await organizations.memberships(tx, user.id)


async def owner_facts(tx: Tx, user_id: UUID) -> OwnerFacts:
    """Return what a build may tell a template about its owner.

    Everybody is in the group ``Everyone`` of their organization.

    Raises:
        NotFound: the user is gone.
    """
    user = await find.user(tx, user_id)
    held = await organizations.memberships(tx, user_id)
    pair = await git_keys.get(tx, user_id)
    site = [HeldRole(name) for name in ("member", *user.roles)]
    inside = [
        HeldRole(name, organization)
        for organization, names in held.items()
        for name in ("organization-member", *names)
    ]
    return OwnerFacts(
        id=user.id,
        username=user.username,
        full_name=user.name,
        email=user.email,
        login_type=user.login_type,
        groups=("Everyone",),
        roles=(*site, *inside),
        ssh_public_key=pair.public_key if pair else "",
        ssh_private_key=pair.private_key if pair else "",
    )


def _user_id(query: Query) -> UUID | None:
    text = query.text("user_id")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise bad("user_id", f"Query param 'user_id' must be a valid uuid: {text!r}.") from None
