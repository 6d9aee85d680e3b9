"""Organizations and their members."""

from uuid import UUID

from pydantic import Field

from coder_cli.sdk.common import DisplayName, Name, Request, Shape, Time
from coder_cli.sdk.users import SlimRole


class MinimalOrganization(Shape):
    id: UUID
    name: str
    display_name: str = ""
    icon: str = ""


class Organization(MinimalOrganization):
    description: str = ""
    created_at: Time
    updated_at: Time
    is_default: bool = False


class CreateOrganizationRequest(Request):
    name: Name
    display_name: DisplayName = ""
    description: str = ""
    icon: str = ""


class UpdateOrganizationRequest(Request):
    """A change; what is absent stays as it is."""

    name: Name | None = None
    display_name: DisplayName | None = None
    description: str | None = None
    icon: str | None = None


class OrganizationMember(Shape):
    user_id: UUID
    organization_id: UUID
    created_at: Time
    updated_at: Time
    roles: list[SlimRole] = []


class OrganizationMemberWithUserData(OrganizationMember):
    username: str
    name: str = ""
    avatar_url: str = ""
    email: str = ""
    global_roles: list[SlimRole] = []


class PaginatedMembersResponse(Shape):
    members: list[OrganizationMemberWithUserData]
    count: int


class WorkspaceQuota(Shape):
    credits_consumed: int = 0
    budget: int = Field(default=-1, description="-1 says that nothing is limited.")
