"""People: accounts, log-in, roles, git SSH keys."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.common import ZERO_TIME, Email, Name, RealName, Request, Shape, Time


class UserStatus(StrEnum):
    ACTIVE = "active"
    DORMANT = "dormant"
    SUSPENDED = "suspended"


class LoginType(StrEnum):
    UNKNOWN = ""
    PASSWORD = "password"  # noqa: S105
    GITHUB = "github"
    OIDC = "oidc"
    TOKEN = "token"  # noqa: S105
    NONE = "none"


class TerminalFont(StrEnum):
    UNKNOWN = ""
    IBM_PLEX_MONO = "ibm-plex-mono"
    FIRA_CODE = "fira-code"
    SOURCE_CODE_PRO = "source-code-pro"
    JETBRAINS_MONO = "jetbrains-mono"


class SlimRole(Shape):
    name: str
    display_name: str
    organization_id: str = ""


class Permission(Shape):
    negate: bool = False
    resource_type: str
    action: str


class Role(Shape):
    name: str
    display_name: str = ""
    organization_id: str = ""
    site_permissions: list[Permission] = []
    user_permissions: list[Permission] = []
    organization_permissions: list[Permission] = []
    organization_member_permissions: list[Permission] = []


class AssignableRole(Role):
    assignable: bool = False
    built_in: bool = False


class MinimalUser(Shape):
    id: UUID
    username: str
    name: str = ""
    avatar_url: str = ""


class User(Shape):
    id: UUID
    username: str
    name: str = ""
    email: str
    avatar_url: str = ""
    created_at: Time
    updated_at: Time
    last_seen_at: Time = ZERO_TIME
    status: UserStatus
    login_type: LoginType
    organization_ids: list[UUID] = []
    roles: list[SlimRole] = []
    theme_preference: str = ""
    is_service_account: bool = False


class GetUsersResponse(Shape):
    users: list[User]
    count: int


class TrialInfo(Request):
    first_name: str = ""
    last_name: str = ""
    phone_number: str = ""
    job_title: str = ""
    company_name: str = ""
    country: str = ""
    developers: str = ""


class CreateFirstUserRequest(Request):
    email: Email
    username: Name
    password: str = Field(min_length=1)
    name: RealName = ""
    trial: bool = False
    trial_info: TrialInfo = Field(default_factory=TrialInfo)


class CreateFirstUserResponse(Shape):
    user_id: UUID
    organization_id: UUID


class LoginWithPasswordRequest(Request):
    email: Email
    password: str = Field(min_length=1)


class LoginWithPasswordResponse(Shape):
    session_token: str


class CreateUserRequest(Request):
    email: Email
    username: Name
    name: RealName = ""
    password: str = ""
    login_type: LoginType = LoginType.PASSWORD
    user_status: UserStatus | None = None
    organization_ids: list[UUID] = []
    service_account: bool = False


class UpdateUserProfileRequest(Request):
    username: Name
    name: RealName = ""


class UpdateUserPasswordRequest(Request):
    password: str = Field(min_length=1)
    old_password: str = ""


class ValidateUserPasswordRequest(Request):
    password: str


class ValidateUserPasswordResponse(Shape):
    valid: bool
    details: str = ""


class RequestOneTimePasscodeRequest(Request):
    email: Email


class ChangePasswordWithOneTimePasscodeRequest(Request):
    email: Email
    password: str = Field(min_length=1)
    one_time_passcode: str = Field(min_length=1)


class UpdateRoles(Request):
    """The full set of roles; what is not named is taken away."""

    roles: list[str]


class UserRoles(Shape):
    roles: list[str] = []
    organization_roles: dict[UUID, list[str]] = {}


class UserAppearanceSettings(Shape):
    theme_preference: str = ""
    terminal_font: TerminalFont = TerminalFont.UNKNOWN


class UpdateUserAppearanceSettingsRequest(Request):
    theme_preference: str
    terminal_font: TerminalFont


class UserPreferenceSettings(Shape):
    task_notification_alert_dismissed: bool = False


class UpdateUserPreferenceSettingsRequest(Request):
    task_notification_alert_dismissed: bool


class UserLoginType(Shape):
    login_type: LoginType


class UserParameter(Shape):
    """A value a person used before, offered again in the next form."""

    name: str
    value: str


class AuthMethod(Shape):
    enabled: bool


class GithubAuthMethod(AuthMethod):
    default_provider_configured: bool = False


class OIDCAuthMethod(AuthMethod):
    sign_in_text: str = Field(default="", alias="signInText")
    icon_url: str = Field(default="", alias="iconUrl")


class AuthMethods(Shape):
    terms_of_service_url: str = ""
    password: AuthMethod = Field(default_factory=lambda: AuthMethod(enabled=True))
    github: GithubAuthMethod = Field(default_factory=lambda: GithubAuthMethod(enabled=False))
    oidc: OIDCAuthMethod = Field(default_factory=lambda: OIDCAuthMethod(enabled=False))


class GitSSHKey(Shape):
    """A person's public key for git; the text ends with a newline."""

    user_id: UUID
    created_at: Time
    updated_at: Time
    public_key: str
