"""Users, and what others are told about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.users import LoginType, UserStatus


@dataclass(frozen=True, slots=True)
class User:
    """A person's account (or a service's); fields are the columns of ``users``."""

    id: UUID
    email: str
    username: str
    name: str
    status: str
    roles: list[str]
    login_type: str
    avatar_url: str
    is_service_account: bool
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    organization_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Account:
    """What a log-in needs to know of a user."""

    id: UUID
    username: str
    status: str
    roles: list[str]
    login_type: str
    hashed_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """All that decides what a user may do; ``memberships`` has roles by organization."""

    id: UUID
    username: str
    status: str
    roles: list[str]
    memberships: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to be made; an empty password is none."""

    email: str
    username: str
    password: str = field(default="", repr=False)
    name: str = ""
    login_type: LoginType = LoginType.PASSWORD
    status: UserStatus = UserStatus.ACTIVE
    organization_ids: tuple[UUID, ...] = ()
    """Empty is the default organization."""
    is_service_account: bool = False


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users are asked for; an empty field does not restrict."""

    search: str = ""
    name: str = ""
    status: list[str] = field(default_factory=list[str])
    roles: list[str] = field(default_factory=list[str])
    login_types: list[str] = field(default_factory=list[str])
    service_account: bool | None = None
    last_seen_after: datetime | None = None
    last_seen_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class GitKey:
    """A user's SSH key pair for git; the public half ends with a newline."""

    user_id: UUID
    private_key: str = field(repr=False)
    public_key: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role a user holds; ``organization_id`` is None for a site role."""

    name: str
    organization_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """What a template may know of a workspace's owner."""

    id: UUID
    username: str
    full_name: str
    email: str
    login_type: str
    groups: tuple[str, ...]
    roles: tuple[HeldRole, ...]
    ssh_public_key: str
    ssh_private_key: str = field(repr=False)
