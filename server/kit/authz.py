"""Who may do what: actions on kinds of objects, granted by built-in roles.

Reads are filtered in SQL with ``Actor.reach`` (hidden and missing look alike); writes ask
``Actor.require`` in a room's policy. Source: reference, API and CLI, section 6.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from server.kit.errors import Forbidden, NotFound, Unauthorized


class Action(StrEnum):
    """What may be done to an object."""

    APPLICATION_CONNECT = "application_connect"
    ASSIGN = "assign"
    CREATE = "create"
    CREATE_AGENT = "create_agent"
    DELETE = "delete"
    DELETE_AGENT = "delete_agent"
    READ = "read"
    READ_PERSONAL = "read_personal"
    SHARE = "share"
    SSH = "ssh"
    START = "start"
    STOP = "stop"
    UNASSIGN = "unassign"
    UPDATE = "update"
    UPDATE_AGENT = "update_agent"
    UPDATE_PERSONAL = "update_personal"
    USE = "use"
    VIEW_INSIGHTS = "view_insights"


class Kind(StrEnum):
    """What kind of object it is done to."""

    API_KEY = "api_key"
    ASSIGN_ORG_ROLE = "assign_org_role"
    ASSIGN_ROLE = "assign_role"
    AUDIT_LOG = "audit_log"
    CONNECTION_LOG = "connection_log"
    CRYPTO_KEY = "crypto_key"
    DEBUG_INFO = "debug_info"
    DEPLOYMENT_CONFIG = "deployment_config"
    DEPLOYMENT_STATS = "deployment_stats"
    FILE = "file"
    GROUP = "group"
    GROUP_MEMBER = "group_member"
    IDPSYNC_SETTINGS = "idpsync_settings"
    ORGANIZATION = "organization"
    ORGANIZATION_MEMBER = "organization_member"
    PROVISIONER_DAEMON = "provisioner_daemon"
    PROVISIONER_JOBS = "provisioner_jobs"
    REPLICAS = "replicas"
    SYSTEM = "system"
    TEMPLATE = "template"
    USER = "user"
    USER_SECRET = "user_secret"  # noqa: S105 - the name of a kind
    WORKSPACE = "workspace"
    WORKSPACE_DORMANT = "workspace_dormant"
    WORKSPACE_PROXY = "workspace_proxy"


Grants = Mapping[Kind, frozenset[Action]]

EVERY_ACTION = frozenset(Action)
_CRUD = frozenset({Action.CREATE, Action.READ, Action.UPDATE, Action.DELETE})
_READ = frozenset({Action.READ})
_CONNECT = frozenset({Action.SSH, Action.APPLICATION_CONNECT})


def _nothing() -> Grants:
    return {}


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of grants at each level; a denial wins over every grant."""

    name: str
    display_name: str = ""
    site: Grants = field(default_factory=_nothing)
    """Anywhere in the deployment."""
    user: Grants = field(default_factory=_nothing)
    """On what the actor owns."""
    organization: Grants = field(default_factory=_nothing)
    """Anywhere in the organization the role is held in."""
    member: Grants = field(default_factory=_nothing)
    """On what the actor owns in the organization the role is held in."""
    denied: Grants = field(default_factory=_nothing)
    """Never, in the organization the role is held in."""


def _everything(*without: Kind) -> dict[Kind, frozenset[Action]]:
    return {kind: EVERY_ACTION for kind in Kind if kind not in without}


_OWNER = _everything(Kind.USER_SECRET)
_OWN_WORKSPACE = EVERY_ACTION
_PEOPLE: Grants = dict.fromkeys(
    (Kind.USER, Kind.GROUP, Kind.GROUP_MEMBER, Kind.ORGANIZATION, Kind.ORGANIZATION_MEMBER), _READ
)
_TEMPLATES: Grants = {
    Kind.TEMPLATE: EVERY_ACTION,
    Kind.FILE: frozenset({Action.CREATE, Action.READ}),
    Kind.WORKSPACE: _READ,
    Kind.PROVISIONER_DAEMON: _CRUD,
    Kind.PROVISIONER_JOBS: frozenset({Action.READ, Action.CREATE, Action.UPDATE}),
}
_SEES_TEMPLATES = frozenset({Action.READ, Action.VIEW_INSIGHTS})

SITE_ROLES: Mapping[str, Role] = MappingProxyType(
    {
        role.name: role
        for role in (
            Role("owner", "Owner", site=_OWNER),
            Role(
                "owner-without-workspace-access",
                "Owner",
                site={**_OWNER, Kind.WORKSPACE: EVERY_ACTION - _CONNECT},
            ),
            Role(
                "member",
                "Member",
                site={Kind.ASSIGN_ROLE: _READ, Kind.WORKSPACE_PROXY: _READ},
                user={
                    Kind.USER: frozenset(
                        {Action.READ, Action.READ_PERSONAL, Action.UPDATE_PERSONAL}
                    ),
                    Kind.API_KEY: EVERY_ACTION,
                    Kind.FILE: EVERY_ACTION,
                    Kind.USER_SECRET: EVERY_ACTION,
                    Kind.ORGANIZATION_MEMBER: _READ,
                    Kind.PROVISIONER_DAEMON: _READ,
                },
            ),
            Role(
                "auditor",
                "Auditor",
                site={
                    **_PEOPLE,
                    Kind.AUDIT_LOG: _READ,
                    Kind.CONNECTION_LOG: _READ,
                    Kind.TEMPLATE: _SEES_TEMPLATES,
                    Kind.DEPLOYMENT_STATS: _READ,
                    Kind.DEPLOYMENT_CONFIG: _READ,
                },
            ),
            Role("template-admin", "Template Admin", site={**_PEOPLE, **_TEMPLATES}),
            Role(
                "user-admin",
                "User Admin",
                site={
                    Kind.USER: _CRUD
                    | {Action.READ_PERSONAL, Action.UPDATE_PERSONAL},
                    Kind.ASSIGN_ROLE: frozenset({Action.READ, Action.ASSIGN, Action.UNASSIGN}),
                    Kind.ASSIGN_ORG_ROLE: frozenset({Action.READ, Action.ASSIGN, Action.UNASSIGN}),
                    Kind.GROUP: _CRUD,
                    Kind.GROUP_MEMBER: _CRUD,
                    Kind.ORGANIZATION: _READ,
                    Kind.ORGANIZATION_MEMBER: _CRUD,
                    Kind.IDPSYNC_SETTINGS: frozenset({Action.READ, Action.UPDATE}),
                },
            ),
        )
    }
)  # fmt: skip

ORGANIZATION_ROLES: Mapping[str, Role] = MappingProxyType(
    {
        role.name: role
        for role in (
            Role(
                "organization-admin",
                "Organization Admin",
                organization={
                    **_everything(Kind.USER_SECRET, Kind.USER),
                    Kind.WORKSPACE: EVERY_ACTION - _CONNECT,
                },
            ),
            Role(
                "organization-member",
                "Organization Member",
                organization={
                    Kind.ORGANIZATION: _READ,
                    Kind.ASSIGN_ORG_ROLE: _READ,
                    # Until templates have access lists of their own, every member may use them.
                    Kind.TEMPLATE: frozenset({Action.READ, Action.USE}),
                },
                member={
                    Kind.WORKSPACE: _OWN_WORKSPACE,
                    Kind.WORKSPACE_DORMANT: EVERY_ACTION - _CONNECT - {Action.START},
                    Kind.FILE: frozenset({Action.CREATE, Action.READ}),
                    Kind.PROVISIONER_JOBS: _READ,
                },
            ),
            Role(
                "organization-auditor",
                "Organization Auditor",
                organization={
                    Kind.AUDIT_LOG: _READ,
                    Kind.CONNECTION_LOG: _READ,
                    Kind.TEMPLATE: _SEES_TEMPLATES,
                    Kind.GROUP: _READ,
                    Kind.GROUP_MEMBER: _READ,
                    Kind.ORGANIZATION: _READ,
                    Kind.ORGANIZATION_MEMBER: _READ,
                },
            ),
            Role(
                "organization-user-admin",
                "Organization User Admin",
                organization={
                    Kind.ASSIGN_ORG_ROLE: frozenset({Action.READ, Action.ASSIGN, Action.UNASSIGN}),
                    Kind.ORGANIZATION: _READ,
                    Kind.ORGANIZATION_MEMBER: _CRUD,
                    Kind.GROUP: _CRUD,
                    Kind.GROUP_MEMBER: _CRUD,
                    Kind.IDPSYNC_SETTINGS: frozenset({Action.READ, Action.UPDATE}),
                },
            ),
            Role(
                "organization-template-admin",
                "Organization Template Admin",
                organization={
                    **_TEMPLATES,
                    Kind.ORGANIZATION: _READ,
                    Kind.ORGANIZATION_MEMBER: _READ,
                    Kind.GROUP: _READ,
                    Kind.GROUP_MEMBER: _READ,
                },
            ),
            Role(
                "organization-workspace-creation-ban",
                "Organization Workspace Creation Ban",
                denied={
                    Kind.WORKSPACE: frozenset(
                        {Action.CREATE, Action.DELETE, Action.CREATE_AGENT, Action.DELETE_AGENT}
                    )
                },
            ),
        )
    }
)
"""Roles that are held in one organization; see ``Actor.organizations``."""


@dataclass(frozen=True, slots=True)
class Object:
    """What an action is done to: the kind, and where it belongs."""

    kind: Kind
    id: UUID | None = None
    owner_id: UUID | None = None
    organization_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of one kind an action reaches, as arguments of a SQL filter."""

    all: bool = False
    organizations: list[UUID] = field(default_factory=list[UUID])
    own: UUID | None = None
    own_organizations: list[UUID] = field(default_factory=list[UUID])

    def args(self) -> dict[str, Any]:
        """Return the filter's arguments by the names that every store uses."""
        return {
            "reach_all": self.all,
            "reach_organizations": self.organizations,
            "reach_own": self.own,
            "reach_own_organizations": self.own_organizations,
        }


_SCOPES: Mapping[str, Grants] = MappingProxyType(
    {
        "all": _everything(),
        "coder:all": _everything(),
        "application_connect": {Kind.WORKSPACE: frozenset({Action.APPLICATION_CONNECT})},
        "coder:application_connect": {Kind.WORKSPACE: frozenset({Action.APPLICATION_CONNECT})},
        "coder:workspaces.create": {
            Kind.WORKSPACE: frozenset({Action.CREATE, Action.READ, Action.UPDATE}),
            Kind.TEMPLATE: frozenset({Action.READ, Action.USE}),
            Kind.USER: frozenset({Action.READ_PERSONAL}),
        },
        "coder:workspaces.operate": {
            Kind.WORKSPACE: frozenset({Action.READ, Action.UPDATE, Action.START, Action.STOP}),
            Kind.TEMPLATE: _READ,
        },
        "coder:workspaces.delete": {Kind.WORKSPACE: frozenset({Action.READ, Action.DELETE})},
        "coder:workspaces.access": {Kind.WORKSPACE: frozenset({Action.READ}) | _CONNECT},
        "coder:templates.build": {
            Kind.TEMPLATE: _READ,
            Kind.FILE: frozenset({Action.CREATE, Action.READ}),
            Kind.PROVISIONER_JOBS: _READ,
        },
        "coder:templates.author": {
            Kind.TEMPLATE: EVERY_ACTION,
            Kind.FILE: frozenset({Action.CREATE, Action.READ}),
        },
        "coder:apikeys.manage_self": {Kind.API_KEY: _CRUD},
    }
)


def known_scope(scope: str) -> bool:
    """Tell whether ``scope`` is one a token may carry: a composite, or ``<kind>:<action|*>``."""
    if scope in _SCOPES:
        return True
    kind, _, action = scope.partition(":")
    return kind in set(Kind) and (action == "*" or action in set(Action))


def _scope_allows(scope: str, action: Action, kind: Kind) -> bool:
    if scope in _SCOPES:
        return action in _SCOPES[scope].get(kind, ())
    return scope in (f"{kind}:{action}", f"{kind}:*")


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
        if not any(_scope_allows(scope, action, kind) for scope in self.scopes):
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
        return Reach(
            organizations=organizations,
            own=self.id if everywhere or own else None,
            own_organizations=own,
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
