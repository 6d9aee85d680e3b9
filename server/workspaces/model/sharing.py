"""Who else is let into a workspace, and which of its ports are open to whom.

Source: reference, API and CLI, sections 2.7 and 6.6.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

LEVELS = ("owner", "authenticated", "organization", "public")
"""From the fewest to the most who may come in."""


@dataclass(frozen=True, slots=True)
class PortShare:
    """One port of one agent that others than the owner may reach."""

    workspace_id: UUID
    agent_name: str
    port: int
    share_level: str
    protocol: str


@dataclass(frozen=True, slots=True)
class ShareOrder:
    """What is to change about a list of access: roles by user or group; "" takes a role away."""

    users: Mapping[str, str] = field(default_factory=dict[str, str])
    groups: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Sharer:
    """Somebody, or a group, that a list of access names."""

    id: UUID
    group: bool
    name: str
    display_name: str
    avatar_url: str
    members: int
    """0 for a user."""


Sharers = Mapping[str, Sharer]
"""By id, as lists of access have it."""


def exceeds(level: str, most: str) -> bool:
    """Tell whether ``level`` lets in more than ``most`` does."""
    return LEVELS.index(level) > LEVELS.index(most)


def changed(present: Mapping[str, str], roles: Mapping[str, str]) -> dict[str, str]:
    """Return a list of access after a change of ``roles``."""
    after = {**present, **roles}
    return {who: role for who, role in after.items() if role}
