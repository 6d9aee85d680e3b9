"""Which roles exist to be given, and who may give or take them. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from server.identity.errors import UnknownRole
from server.kit.authz import ORGANIZATION_ROLES, SITE_ROLES

OWNER = "owner"
OWNER_WITHOUT_WORKSPACES = "owner-without-workspace-access"
"""What ``owner`` becomes when owners may not enter others' workspaces; never stored."""

_IMPLIED = frozenset({"member", "organization-member", OWNER_WITHOUT_WORKSPACES})

SITE: tuple[str, ...] = tuple(name for name in SITE_ROLES if name not in _IMPLIED)
"""Site roles that can be given."""

ORGANIZATION: tuple[str, ...] = tuple(name for name in ORGANIZATION_ROLES if name not in _IMPLIED)
"""Organization roles that can be given."""

_EVERYTHING = frozenset((*SITE, *ORGANIZATION))

GIVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        OWNER: _EVERYTHING,
        OWNER_WITHOUT_WORKSPACES: _EVERYTHING,
        "user-admin": _IMPLIED,
        "organization-admin": frozenset(ORGANIZATION),
        "organization-user-admin": _IMPLIED,
    }
)
"""Who holds the role on the left may give and take those on the right."""


def effective(roles: Iterable[str], *, owners_enter_workspaces: bool) -> frozenset[str]:
    """Return the site roles that count for whoever holds ``roles``."""
    held = frozenset(roles)
    if owners_enter_workspaces or OWNER not in held:
        return held
    return (held - {OWNER}) | {OWNER_WITHOUT_WORKSPACES}


def may_give(held: Iterable[str], role: str) -> bool:
    """Tell whether one of the ``held`` roles allows to give and take ``role``."""
    return any(role in GIVES.get(mine, frozenset()) for mine in held)


def changed(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Return the roles that a change gives or takes, in a stable order."""
    return sorted(frozenset(before) ^ frozenset(after))


def known(wanted: Iterable[str], roles: tuple[str, ...]) -> list[str]:
    """Return ``wanted`` without repetition and without what everybody has anyway.

    Raises:
        UnknownRole: a role that is none of ``roles``.
    """
    names = [
        name for name in dict.fromkeys(wanted) if name not in ("member", "organization-member")
    ]
    for name in names:
        if name not in roles:
            raise UnknownRole(name)
    return names
