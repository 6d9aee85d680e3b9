"""May this actor do that to these people? Reads are filtered in SQL; here are the writes."""

from collections.abc import Iterable
from uuid import UUID

from server.identity.errors import RoleNotYours
from server.identity.model import roles
from server.identity.model.people import User
from server.kit.authz import Action, Actor, Kind, Object


def user(user_id: UUID) -> Object:
    """Return a user as an object of rights: everybody owns themselves."""
    return Object(Kind.USER, id=user_id, owner_id=user_id)


def key(user_id: UUID) -> Object:
    """Return a key of a user as an object of rights."""
    return Object(Kind.API_KEY, owner_id=user_id)


def member(organization_id: UUID, user_id: UUID | None = None) -> Object:
    """Return a membership as an object of rights."""
    return Object(Kind.ORGANIZATION_MEMBER, owner_id=user_id, organization_id=organization_id)


def may_create_users(actor: Actor) -> None:
    """Refuse unless the actor may make accounts."""
    actor.require(Action.CREATE, Object(Kind.USER))


def may_add_members(actor: Actor, organizations: Iterable[UUID]) -> None:
    """Refuse unless the actor may add members to each of the organizations."""
    for organization in organizations:
        actor.require(Action.CREATE, member(organization))


def may(actor: Actor, action: Action, whom: User) -> None:
    """Refuse unless the actor may do ``action`` to the account."""
    actor.require(action, user(whom.id))


def outranks(actor: Actor, whom: User, held_in_organizations: Iterable[str]) -> None:
    """Refuse to hand over an account whose roles the actor could not give.

    Whoever sets a password can log in with it: without this rule, a user-admin becomes owner.

    Raises:
        RoleNotYours: the account holds a role that is out of the actor's reach.
    """
    if actor.is_system or actor.id == whom.id:
        return
    _give_all(actor, _roles(actor), (*whom.roles, *held_in_organizations))


def may_remove(actor: Actor, whom: User) -> None:
    """Refuse to lock out or delete an owner unless the actor could take that role away."""
    if not actor.is_system and roles.OWNER in whom.roles:
        _give_all(actor, _roles(actor), (roles.OWNER,))


def may_assign(actor: Actor, changed: Iterable[str]) -> None:
    """Refuse a change of site roles unless the actor may give and take each of them."""
    actor.require(Action.ASSIGN, Object(Kind.ASSIGN_ROLE))
    _give_all(actor, actor.roles, changed)


def may_assign_in(actor: Actor, organization_id: UUID, changed: Iterable[str]) -> None:
    """Refuse a change of an organization's roles unless the actor may give and take each."""
    actor.require(Action.ASSIGN, Object(Kind.ASSIGN_ORG_ROLE, organization_id=organization_id))
    _give_all(actor, held_in(actor, organization_id), changed)


def may_read_roles(actor: Actor, organization_id: UUID) -> None:
    """Refuse unless the actor may see which roles an organization knows."""
    actor.require(Action.READ, Object(Kind.ASSIGN_ORG_ROLE, organization_id=organization_id))


def held_in(actor: Actor, organization_id: UUID) -> frozenset[str]:
    """Return the roles that count in one organization: the site's, and those held there."""
    return actor.roles | actor.organizations.get(organization_id, frozenset())


def _roles(actor: Actor) -> frozenset[str]:
    return actor.roles.union(*actor.organizations.values())


def _give_all(actor: Actor, held: frozenset[str], wanted: Iterable[str]) -> None:
    for role in wanted:
        if not actor.is_system and not roles.may_give(held, role):
            raise RoleNotYours(role)
