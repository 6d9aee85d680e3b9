"""Who may do what: actions on kinds of objects, granted by built-in roles.

Reads are filtered in SQL with ``Actor.reach`` (hidden and missing look alike); writes ask
``Actor.require`` in a room's policy. Source: reference, API and CLI, section 6.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

from server.kit.errors import Forbidden, NotFound, Unauthorized
from server.kit.roles import (
    ORGANIZATION_ROLES,
    SHARED_ROLES,
    SITE_ROLES,
    Action,
    Grants,
    Kind,
    Role,
    known_scope,
    scope_allows,
)

__all__ = [
    "ALL_SCOPES",
    "ORGANIZATION_ROLES",
    "SITE_ROLES",
    "Action",
    "Actor",
    "Grants",
    "Kind",
    "Object",
    "Reach",
    "Role",
    "Shares",
    "as_system",
    "known_scope",
    "shared",
]

Shares = Mapping[str, str]
"""Roles by the id of the user or group that has them: a list of access, as it is stored."""


def _nobody() -> Shares:
    return {}


@dataclass(frozen=True, slots=True)
class Object:
    """What an action is done to: the kind, where it belongs, and who else was let in.

    The group that everybody of an organization is in has the organization's id.
    """

    kind: Kind
    id: UUID | None = None
    owner_id: UUID | None = None
    organization_id: UUID | None = None
    user_acl: Shares = field(default_factory=_nobody, hash=False)
    group_acl: Shares = field(default_factory=_nobody, hash=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of one kind an action reaches, as arguments of a SQL filter."""

    all: bool = False
    organizations: list[UUID] = field(default_factory=list[UUID])
    own: UUID | None = None
    own_organizations: list[UUID] = field(default_factory=list[UUID])
    shared_organizations: list[UUID] = field(default_factory=list[UUID])
    """Where lists of access let the actor in: it is a member, and the action is not denied."""
    shared_user: str = ""
    shared_groups: list[str] = field(default_factory=list[str])
    shared_roles: list[str] = field(default_factory=list[str])
    """The roles in lists of access that allow the action."""

    def args(self) -> dict[str, Any]:
        """Return the filter's arguments by the names that every store uses."""
        return {
            "reach_all": self.all,
            "reach_organizations": self.organizations,
            "reach_own": self.own,
            "reach_own_organizations": self.own_organizations,
            **self.shared_args(),
        }

    def shared_args(self) -> dict[str, Any]:
        """Return the arguments of ``shared``."""
        return {
            "reach_shared_organizations": self.shared_organizations,
            "reach_shared_user": self.shared_user,
            "reach_shared_groups": self.shared_groups,
            "reach_shared_roles": self.shared_roles,
        }

    def shares(self, on: Object) -> bool:
        """Tell whether the lists of access of ``on`` let the actor in; ``shared`` is the same."""
        if on.organization_id not in self.shared_organizations:
            return False
        held = {on.user_acl.get(self.shared_user)}
        held |= {on.group_acl.get(group) for group in self.shared_groups}
        return not held.isdisjoint(self.shared_roles)


def shared(table: LiteralString) -> LiteralString:
    """Return the SQL filter for rows of ``table`` whose lists of access let the actor in.

    The rows have ``organization_id``, ``user_acl`` and ``group_acl``; see ``Reach.shared_args``.
    What is cheap comes first: of ten thousand rows few are shared, and fewer with this actor.
    """
    return f"""
        ({table}.organization_id = ANY(%(reach_shared_organizations)s::uuid[])
         AND (coalesce({table}.user_acl ->> %(reach_shared_user)s, '')
                  = ANY(%(reach_shared_roles)s::text[])
              OR ({table}.group_acl ?| %(reach_shared_groups)s::text[]
                  AND EXISTS (SELECT 1 FROM jsonb_each_text({table}.group_acl) g
                               WHERE g.key = ANY(%(reach_shared_groups)s::text[])
                                 AND g.value = ANY(%(reach_shared_roles)s::text[])))))
    """


ALL_SCOPES = frozenset({"coder:all"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever a unit of work is done for: a user with roles, or a named part of the system."""

    id: UUID | None
    label: str
    roles: frozenset[str] = frozenset()
    organizations: Mapping[UUID, frozenset[str]] = field(default_factory=dict[UUID, frozenset[str]])
    key_id: str = ""
    scopes: frozenset[str] = ALL_SCOPES
    groups: frozenset[UUID] = frozenset()
    """Groups besides those that everybody of an organization is in."""

    @property
    def is_system(self) -> bool:
        """Tell whether this is the deployment itself."""
        return self.id is None and self.label.startswith("system:")

    @property
    def user_id(self) -> UUID:
        """Return the user's id.

        Raises:
            Unauthorized: the actor is no user.
        """
        if self.id is None:
            raise Unauthorized("This needs a user.")
        return self.id

    def can(self, action: Action, on: Object) -> bool:
        """Tell whether this actor may do ``action`` to ``on``."""
        if self.is_system:
            return True
        reach = self.reach(action, on.kind)
        if on.organization_id is not None and self._denied(action, on.kind, on.organization_id):
            return False
        if reach.all or (
            on.organization_id is not None and on.organization_id in reach.organizations
        ):
            return True
        if reach.shares(on):
            return True
        owns = reach.own is not None and on.owner_id == reach.own
        return owns and (
            on.organization_id is None or on.organization_id in reach.own_organizations
        )

    def require(self, action: Action, on: Object, *, hidden: bool = False) -> None:
        """Refuse unless this actor may do ``action`` to ``on``.

        Raises:
            NotFound: it may not, and the existence of ``on`` is hidden from it.
            Forbidden: it may not.
        """
        if self.can(action, on):
            return
        if hidden:
            raise NotFound
        raise Forbidden(
            "You don't have permission to do this.", detail=f"{action} on {on.kind} is not allowed."
        )

    def reach(self, action: Action, kind: Kind) -> Reach:
        """Return which rows of ``kind`` this actor may do ``action`` to."""
        if self.is_system:
            return Reach(all=True)
        if not any(scope_allows(scope, action, kind) for scope in self.scopes):
            return Reach()
        site = [SITE_ROLES[name] for name in self.roles | {"member"} if name in SITE_ROLES]
        if any(action in role.site.get(kind, ()) for role in site):
            return Reach(all=True)
        everywhere = any(action in role.user.get(kind, ()) for role in site)
        organizations = [
            organization
            for organization in self.organizations
            if self._held(action, kind, organization, own=False)
        ]
        own = [
            organization
            for organization in self.organizations
            if everywhere or self._held(action, kind, organization, own=True)
        ]
        roles = [name for name, may in SHARED_ROLES.get(kind, {}).items() if action in may]
        return Reach(
            organizations=organizations,
            own=self.id if everywhere or own else None,
            own_organizations=own,
            shared_organizations=[
                organization
                for organization in self.organizations
                if roles and not self._denied(action, kind, organization)
            ],
            shared_user=str(self.id),
            shared_groups=[str(group) for group in (*self.organizations, *self.groups)],
            shared_roles=roles,
        )

    def _held(self, action: Action, kind: Kind, organization: UUID, *, own: bool) -> bool:
        if self._denied(action, kind, organization):
            return False
        roles = self._organization_roles(organization)
        return any(
            action in (role.member if own else role.organization).get(kind, ()) for role in roles
        )

    def _denied(self, action: Action, kind: Kind, organization: UUID) -> bool:
        roles = self._organization_roles(organization)
        return any(action in role.denied.get(kind, ()) for role in roles)

    def _organization_roles(self, organization: UUID) -> list[Role]:
        names = self.organizations.get(organization)
        if names is None:
            return []
        held = names | {"organization-member"}
        return [ORGANIZATION_ROLES[name] for name in held if name in ORGANIZATION_ROLES]


def as_system(job: str) -> Actor:
    """Act as the deployment. Searchable on purpose: a test lists every caller."""
    return Actor(id=None, label=f"system:{job}")
