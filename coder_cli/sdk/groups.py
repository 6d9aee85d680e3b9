"""Groups of an organization, and people as lists of access show them."""

from enum import StrEnum
from uuid import UUID

from coder_cli.sdk.common import ZERO_TIME, Shape, Time
from coder_cli.sdk.users import LoginType, MinimalUser, UserStatus


class GroupSource(StrEnum):
    USER = "user"
    OIDC = "oidc"


class ReducedUser(MinimalUser):
    email: str
    created_at: Time
    updated_at: Time
    last_seen_at: Time = ZERO_TIME
    status: UserStatus
    login_type: LoginType
    is_service_account: bool = False
    theme_preference: str = ""


class Group(Shape):
    """Some people of an organization; everybody's has the organization's id."""

    id: UUID
    name: str
    display_name: str = ""
    organization_id: UUID
    members: list[ReducedUser] = []
    total_member_count: int = 0
    avatar_url: str = ""
    quota_allowance: int = 0
    source: GroupSource = GroupSource.USER
    organization_name: str = ""
    organization_display_name: str = ""
