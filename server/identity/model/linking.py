"""Accounts of other services: what is kept of them, and what git is told."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from server.settings import ExternalAuthProvider

EXPIRES_SOON: Final = timedelta(seconds=30)
"""A token that ends sooner is renewed first: whoever gets it has to use it."""

_BY_NAME: Final[Mapping[str, str]] = {
    "gitlab": "oauth2",
    "bitbucket": "x-token-auth",
    "bitbucket-cloud": "x-token-auth",
    "bitbucket-server": "x-token-auth",
}
"""Services whose git servers take the token as a password, and under which name."""


@dataclass(frozen=True, slots=True)
class Link:
    """One linked account; the tokens are sealed."""

    provider_id: str
    user_id: UUID
    access_token: bytes = field(repr=False)
    refresh_token: bytes | None = field(repr=False)
    expires_at: datetime | None
    extra: Mapping[str, Any] = field(repr=False)
    refresh_failure: str
    created_at: datetime
    updated_at: datetime

    def fresh(self, now: datetime) -> bool:
        """Tell whether the token is good for a while."""
        return self.expires_at is None or now < self.expires_at - EXPIRES_SOON


@dataclass(frozen=True, slots=True)
class Grant:
    """What a service gave for a code: tokens in the clear, for as long as they are under way."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    lifetime: timedelta | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True)
class Linked:
    """A token that works, for whoever acts for its owner."""

    type: str
    access_token: str = field(repr=False)
    extra: Mapping[str, Any] = field(repr=False)

    @property
    def username(self) -> str:
        """Return what git answers to ``Username``."""
        return _BY_NAME.get(self.type, self.access_token)

    @property
    def password(self) -> str:
        """Return what git answers to ``Password``."""
        return self.access_token if self.type in _BY_NAME else ""


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is at the other service."""

    id: int = 0
    login: str = ""
    name: str = ""
    avatar_url: str = ""
    profile_url: str = ""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person types at the service, and what we ask with until they did."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True)
class Installation:
    """Where an application of the service is installed."""

    id: int
    account: Account
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One service and its caller's account there."""

    provider: ExternalAuthProvider
    authenticated: bool = False
    account: Account = field(default_factory=Account)
    installations: Sequence[Installation] = ()


def state_of(session: str, provider_id: str, nonce: str, verifier: str) -> str:
    """Return what a session goes out to a service with, and what it has to come back with.

    Whoever does not have the session's token cannot make one for it.
    """
    words = f"{provider_id}\0{nonce}\0{verifier}".encode()
    proof = hmac.digest(session.encode(), words, hashlib.sha256)
    return f"{nonce}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
