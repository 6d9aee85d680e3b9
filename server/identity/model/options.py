"""What the deployment decides about sessions, tokens, passwords and cookies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from server.kit import crypto


@dataclass(frozen=True, slots=True)
class PasswordHashing:
    """How passwords are hashed and checked; both are slow on purpose, and run in threads."""

    hash: Callable[[str], str] = crypto.hash_password
    verify: Callable[[str, str], bool] = crypto.verify_password
    dummy: str = field(default=crypto.DUMMY_HASH, repr=False)
    """Checked when a user is unknown, so that the answer takes as long as for a known one."""


class KeygenAlgorithm(StrEnum):
    """The kind of SSH key that is made for each user."""

    ED25519 = "ed25519"
    ECDSA = "ecdsa"
    RSA4096 = "rsa4096"


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """Settings of this room; ``app.py`` builds one and registers it for the routes."""

    session_duration: timedelta = timedelta(hours=24)
    max_token_lifetime: timedelta = timedelta(hours=876_600)
    max_admin_token_lifetime: timedelta = timedelta(hours=168)
    default_token_lifetime: timedelta = timedelta(hours=168)
    disable_expiry_refresh: bool = False
    disable_password_auth: bool = False
    secure_cookie: bool = False
    samesite: Literal["lax", "none"] = "lax"
    host_prefix_cookie: bool = False
    ssh_keygen_algorithm: KeygenAlgorithm = KeygenAlgorithm.ED25519
    disable_owner_workspace_access: bool = False
    terms_of_service_url: str = ""
    passwords: PasswordHashing = field(default_factory=PasswordHashing)
