"""What the deployment decides about workspaces; ``server.app`` fills these in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class WorkspaceRules:
    """What people may do with workspaces here."""

    allow_renames: bool = False
    access_url: str = ""
    """Where agents that people start by hand find this server."""
    terraform_debug: bool = True
    """Builds may be asked for with Terraform's own debug messages, which can hold secrets."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What every build is told of the deployment."""

    access_url: str
    """Where agents find this server."""
    init_scripts: Callable[[], Mapping[str, str]]
    """``linux_amd64`` -> the script that installs and starts an agent there."""
    session_lifetime: timedelta = timedelta(hours=876_600)
    """How long the session token that a running workspace holds may live."""
