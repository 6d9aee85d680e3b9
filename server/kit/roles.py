"""What may be done to what, and which built-in role grants it: the tables behind ``authz``.

Source: reference, API and CLI, sections 6.1 (scopes) and 6.7 (roles).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


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
    CHAT = "chat"
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
                },
                member={
                    Kind.WORKSPACE: _OWN_WORKSPACE,
                    Kind.WORKSPACE_DORMANT: EVERY_ACTION - _CONNECT - {Action.START},
                    Kind.CHAT: EVERY_ACTION,
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


SHARED_ROLES: Mapping[Kind, Mapping[str, frozenset[Action]]] = MappingProxyType(
    {
        Kind.TEMPLATE: {"use": frozenset({Action.READ, Action.USE}), "admin": EVERY_ACTION},
        Kind.WORKSPACE: {
            "use": _READ | _CONNECT | {Action.START, Action.STOP},
            "admin": EVERY_ACTION - {Action.DELETE},
        },
        Kind.WORKSPACE_DORMANT: {
            "use": _READ | {Action.STOP},
            "admin": EVERY_ACTION - _CONNECT - {Action.START, Action.DELETE},
        },
    }
)
"""Roles that a list of access of one object gives: to its users, and to members of its groups."""


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


def scope_allows(scope: str, action: Action, kind: Kind) -> bool:
    if scope in _SCOPES:
        return action in _SCOPES[scope].get(kind, ())
    return scope in (f"{kind}:{action}", f"{kind}:*")
