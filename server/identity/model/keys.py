"""API keys: log-in sessions, tokens, and the rules of their lives. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from coder_cli.sdk.users import LoginType, UserStatus
from server.identity.errors import NotActive, SignedOut

TOUCH_EVERY = timedelta(hours=1)
"""A key's last use is written at most this often, so that reading costs no write."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner may see it; the secret is nowhere."""

    id: str
    user_id: UUID
    username: str
    last_used: datetime
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    login_type: str
    scopes: list[str]
    allow_list: list[str]
    token_name: str
    lifetime_seconds: int


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made."""

    user_id: UUID
    lifetime: timedelta
    login_type: LoginType = LoginType.PASSWORD
    name: str = ""
    scopes: tuple[str, ...] = ("coder:all",)
    ip_address: str = "0.0.0.0"  # noqa: S104 - an unknown address, nothing is bound


@dataclass(frozen=True, slots=True)
class Credential:
    """All that authentication asks of the database: a key, its user, and their roles."""

    key_id: str
    hashed_secret: bytes = field(repr=False)
    scopes: list[str]
    lifetime_seconds: int
    last_used: datetime
    expires_at: datetime
    user_id: UUID
    username: str
    status: str
    roles: list[str]
    memberships: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Touch:
    """What the use of a key changes."""

    expires_at: datetime
    activate: bool


def check(credential: Credential, now: datetime) -> None:
    """Refuse a key that is over, or whose user is locked out.

    Raises:
        SignedOut: the key expired.
        NotActive: the user is suspended.
    """
    if credential.expires_at <= now:
        raise SignedOut(f'API key expired at "{credential.expires_at.isoformat()}".')
    if credential.status == UserStatus.SUSPENDED:
        raise NotActive(credential.status)


def touch(credential: Credential, now: datetime, *, refresh: bool) -> Touch | None:
    """Return what using the key now should write, or None, which is the rule.

    A key slides: once an hour of it is used up, its whole lifetime begins again.
    """
    lifetime = timedelta(seconds=credential.lifetime_seconds)
    slides = refresh and credential.expires_at - now <= lifetime - TOUCH_EVERY
    wakes = credential.status == UserStatus.DORMANT
    if not slides and not wakes and now - credential.last_used <= TOUCH_EVERY:
        return None
    return Touch(now + lifetime if slides else credential.expires_at, wakes)
