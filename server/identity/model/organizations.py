"""Organizations and who belongs to them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

DEFAULT_NAME = "coder"
"""The organization that every deployment begins with."""


@dataclass(frozen=True, slots=True)
class Organization:
    """A house of its own: members, templates, workspaces. Fields are columns."""

    id: UUID
    name: str
    display_name: str
    description: str
    icon: str
    is_default: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A user in an organization, with the roles held there."""

    user_id: UUID
    organization_id: UUID
    roles: list[str]
    created_at: datetime
    updated_at: datetime
    username: str
    name: str
    avatar_url: str
    email: str
    global_roles: list[str]
