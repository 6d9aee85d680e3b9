"""What a token may be limited to, as far as people may ask for it. Pure."""

from collections.abc import Iterable

from server.kit.authz import ALL_SCOPES, known_scope
from server.kit.errors import FieldError, Forbidden, Invalid

_LEGACY = {"all": "coder:all", "application_connect": "coder:application_connect"}

_LOW_LEVEL = {
    "api_key": ("create", "read", "update", "delete"),
    "file": ("create", "read"),
    "template": ("create", "read", "update", "delete", "use", "view_insights"),
    "user": ("read", "read_personal", "update_personal"),
    "user_secret": ("create", "read", "update", "delete"),
    "organization": ("read",),
    "organization_member": ("read",),
    "provisioner_jobs": ("read",),
    "workspace": (
        "create",
        "read",
        "update",
        "delete",
        "ssh",
        "start",
        "stop",
        "application_connect",
    ),
}

COMPOSITE = (
    "coder:all",
    "coder:application_connect",
    "coder:apikeys.manage_self",
    "coder:templates.author",
    "coder:templates.build",
    "coder:workspaces.access",
    "coder:workspaces.create",
    "coder:workspaces.delete",
    "coder:workspaces.operate",
)


def external() -> list[str]:
    """Return the scopes that people may ask for."""
    low = [f"{kind}:{action}" for kind, actions in _LOW_LEVEL.items() for action in (*actions, "*")]
    return [*COMPOSITE, *sorted(low)]


def wanted(legacy: str, scopes: Iterable[str], held: frozenset[str]) -> tuple[str, ...]:
    """Return the scopes of a new key; without any, it gets those of the key that makes it.

    Raises:
        Invalid: an unknown scope.
        Forbidden: a scope that the key that makes it does not have.
    """
    asked = [_LEGACY.get(scope, scope) for scope in (*scopes, *filter(None, [legacy]))]
    for scope in asked:
        if not known_scope(scope):
            unknown = FieldError("scopes", f"{scope!r} is not a known scope.")
            raise Invalid("Failed to validate create API key request.", fields=[unknown])
    if not asked:
        return tuple(sorted(held))
    if held != ALL_SCOPES and not frozenset(asked) <= held:
        raise Forbidden(
            "A key cannot make a key that may do more.",
            detail=f"This key has the scopes {', '.join(sorted(held))}.",
        )
    return tuple(dict.fromkeys(asked))


def legacy(scopes: Iterable[str]) -> str:
    """Return the one word that older clients know for ``scopes``, or an empty string."""
    held = frozenset(scopes)
    if "coder:all" in held:
        return "all"
    return "application_connect" if "coder:application_connect" in held else ""
