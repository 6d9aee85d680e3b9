"""API keys: sessions and the tokens people make for scripts."""

from typing import Annotated, cast
from uuid import UUID

from pydantic import BeforeValidator, Field

from coder_cli.sdk.common import ZERO_TIME, Request, Shape, Time
from coder_cli.sdk.users import LoginType


class APIAllowListTarget(Shape):
    """One thing a token may touch; ``*`` for any type or any id."""

    type: str
    id: str


class APIKey(Shape):
    id: str
    user_id: UUID
    last_used: Time = ZERO_TIME
    expires_at: Time
    created_at: Time
    updated_at: Time
    login_type: LoginType
    scope: str = "all"
    scopes: list[str] = []
    token_name: str = ""
    lifetime_seconds: int
    allow_list: list[APIAllowListTarget] = []


class APIKeyWithOwner(APIKey):
    username: str = ""


class GenerateAPIKeyResponse(Shape):
    """A new key, ``<id>-<secret>``; nobody can show it a second time."""

    key: str


def _split_target(value: object) -> object:
    """Read ``type:id`` as upstream writes list entries in text."""
    if isinstance(value, str) and ":" in value:
        kind, _, target = value.partition(":")
        return {"type": kind, "id": target}
    return cast("object", value)


class CreateTokenRequest(Request):
    lifetime: int = Field(default=0, ge=0, description="In nanoseconds; 0 takes the deployment's.")
    token_name: str = Field(default="", max_length=64)
    scopes: list[str] = []
    scope: str = ""
    allow_list: list[Annotated[APIAllowListTarget, BeforeValidator(_split_target)]] = []


class TokenConfig(Shape):
    max_token_lifetime: int = Field(description="In nanoseconds.")
