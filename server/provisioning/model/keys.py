"""Keys of provisioner daemons, and the reserved ones that stand for other ways to log in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from coder_cli.kit.names import NAME

BUILT_IN = UUID(int=1)
USER_AUTH = UUID(int=2)
PSK = UUID(int=3)

RESERVED: Mapping[UUID, str] = MappingProxyType(
    {BUILT_IN: "built-in", USER_AUTH: "user-auth", PSK: "psk"}
)
"""Keys that nobody makes: our own daemons, those of a user's session, those of the shared key."""

LONGEST_NAME = 64
MOST_TAGS = 64
LONGEST_TAG = 256


@dataclass(frozen=True, slots=True)
class ProvisionerKey:
    """A key as stored; the secret itself is with whoever made it."""

    id: UUID
    organization_id: UUID
    name: str
    tags: dict[str, str]
    created_at: datetime


def check_key_name(name: str) -> str:
    """Return why ``name`` cannot name a key, or nothing."""
    if not name:
        return "Name is required"
    if len(name) > LONGEST_NAME:
        return f"Name must be at most {LONGEST_NAME} characters"
    if name.lower() in RESERVED.values():
        return f"Name cannot be reserved name '{name}'"
    if not NAME.fullmatch(name):
        return "Name must be letters and digits, with single hyphens between them"
    return ""


def check_tags(tags: Mapping[str, str]) -> str:
    """Return why these cannot be tags of a daemon, or nothing."""
    if len(tags) > MOST_TAGS:
        return f"At most {MOST_TAGS} tags are allowed"
    for key, value in tags.items():
        if not key:
            return "A tag needs a name"
        if len(key) > LONGEST_TAG or len(value) > LONGEST_TAG:
            return f"A tag's name and value are at most {LONGEST_TAG} characters each"
        if "\0" in key or "\0" in value:
            return "A tag cannot contain NUL"
    return ""
