"""What the deployment decides about workspaces; ``server.app`` fills these in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WorkspaceRules:
    """What people may do with workspaces here."""

    allow_renames: bool = False
    access_url: str = ""
    """Where agents that people start by hand find this server."""
    terraform_debug: bool = True
    """Builds may be asked for with Terraform's own debug messages, which can hold secrets."""


async def _no_tokens(user_id: UUID, provider_ids: Sequence[str]) -> dict[str, str]:
    _ = user_id, provider_ids
    return {}


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What every build is told of the deployment."""

    access_url: str
    """Where agents find this server."""
    init_scripts: Callable[[], Mapping[str, str]]
    """``linux_amd64`` -> the script that installs and starts an agent there."""
    session_lifetime: timedelta = timedelta(hours=876_600)
    """How long the session token that a running workspace holds may live."""
    tokens: Callable[[UUID, Sequence[str]], Awaitable[dict[str, str]]] = _no_tokens
    """A user's tokens of the services that a template names, as far as they linked accounts."""
