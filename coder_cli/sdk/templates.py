"""Templates, their versions, and what a version asks of the person who uses it."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.common import (
    DisplayName,
    KeptName,
    Name,
    NameValue,
    Request,
    Shape,
    Time,
    VersionName,
)
from coder_cli.sdk.jobs import MatchedProvisioners, ProvisionerJob, ProvisionerType
from coder_cli.sdk.users import MinimalUser

HOUR_MS = 60 * 60 * 1000

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class CORSBehavior(StrEnum):
    SIMPLE = "simple"
    PASSTHRU = "passthru"


class PortShareLevel(StrEnum):
    OWNER = "owner"
    AUTHENTICATED = "authenticated"
    ORGANIZATION = "organization"
    PUBLIC = "public"


class TransitionStats(Shape):
    """Build times in milliseconds; null as long as nothing was built."""

    p50: int | None = Field(default=None, alias="P50")
    p95: int | None = Field(default=None, alias="P95")


class AutostopRequirement(Shape):
    days_of_week: list[Weekday] = []
    weeks: int = 1


class AutostartRequirement(Shape):
    days_of_week: list[Weekday] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]


class Template(Shape):
    id: UUID
    created_at: Time
    updated_at: Time
    organization_id: UUID
    organization_name: str = ""
    organization_display_name: str = ""
    organization_icon: str = ""
    name: str
    display_name: str = ""
    provisioner: ProvisionerType = ProvisionerType.TERRAFORM
    active_version_id: UUID
    active_user_count: int = -1
    build_time_stats: dict[str, TransitionStats] = {}
    description: str = ""
    deprecated: bool = False
    deprecation_message: str = ""
    icon: str = ""
    default_ttl_ms: int = 0
    activity_bump_ms: int = HOUR_MS
    autostop_requirement: AutostopRequirement = Field(default_factory=AutostopRequirement)
    autostart_requirement: AutostartRequirement = Field(default_factory=AutostartRequirement)
    created_by_id: UUID
    created_by_name: str = ""
    allow_user_autostart: bool = True
    allow_user_autostop: bool = True
    allow_user_cancel_workspace_jobs: bool = True
    failure_ttl_ms: int = 0
    time_til_dormant_ms: int = 0
    time_til_dormant_autodelete_ms: int = 0
    require_active_version: bool = False
    max_port_share_level: PortShareLevel = PortShareLevel.OWNER
    use_classic_parameter_flow: bool = False
    cors_behavior: CORSBehavior = CORSBehavior.SIMPLE
    time_til_autostop_notify_ms: int = 0
    agents_allowed: bool = True


class CreateTemplateRequest(Request):
    name: Name
    template_version_id: UUID
    display_name: DisplayName = ""
    description: str = Field(default="", max_length=127)
    icon: str = ""
    default_ttl_ms: int | None = Field(default=None, ge=0)
    activity_bump_ms: int | None = Field(default=None, ge=0)
    autostop_requirement: AutostopRequirement | None = None
    autostart_requirement: AutostartRequirement | None = None
    allow_user_cancel_workspace_jobs: bool = True
    allow_user_autostart: bool = True
    allow_user_autostop: bool = True
    failure_ttl_ms: int | None = Field(default=None, ge=0)
    dormant_ttl_ms: int | None = Field(default=None, ge=0)
    delete_ttl_ms: int | None = Field(default=None, ge=0)
    disable_everyone_group_access: bool = False
    require_active_version: bool = False
    max_port_share_level: PortShareLevel | None = None
    template_use_classic_parameter_flow: bool | None = None
    cors_behavior: CORSBehavior | None = None
    time_til_autostop_notify_ms: int | None = Field(default=None, ge=0)
    agents_allowed: bool | None = None


class UpdateTemplateMeta(Request):
    """A change; what is absent stays as it is, and an empty name, too."""

    name: KeptName | None = None
    display_name: DisplayName | None = None
    description: str | None = Field(default=None, max_length=127)
    icon: str | None = None
    default_ttl_ms: int | None = Field(default=None, ge=0)
    activity_bump_ms: int | None = Field(default=None, ge=0)
    autostop_requirement: AutostopRequirement | None = None
    autostart_requirement: AutostartRequirement | None = None
    allow_user_cancel_workspace_jobs: bool | None = None
    allow_user_autostart: bool | None = None
    allow_user_autostop: bool | None = None
    failure_ttl_ms: int | None = Field(default=None, ge=0)
    time_til_dormant_ms: int | None = Field(default=None, ge=0)
    time_til_dormant_autodelete_ms: int | None = Field(default=None, ge=0)
    update_workspace_last_used_at: bool = False
    update_workspace_dormant_at: bool = False
    require_active_version: bool | None = None
    deprecation_message: str | None = None
    disable_everyone_group_access: bool | None = None
    max_port_share_level: PortShareLevel | None = None
    use_classic_parameter_flow: bool | None = None
    cors_behavior: CORSBehavior | None = None
    time_til_autostop_notify_ms: int | None = Field(default=None, ge=0)
    agents_allowed: bool | None = None


class TemplateVersionWarning(StrEnum):
    UNSUPPORTED_WORKSPACES = "UNSUPPORTED_WORKSPACES"
    NO_MATCHING_PROVISIONERS = "NO_MATCHING_PROVISIONERS"


class TemplateVersion(Shape):
    id: UUID
    template_id: UUID | None = None
    organization_id: UUID
    created_at: Time
    updated_at: Time
    name: str
    message: str = ""
    job: ProvisionerJob
    readme: str = ""
    created_by: MinimalUser
    archived: bool = False
    warnings: list[TemplateVersionWarning] = []
    matched_provisioners: MatchedProvisioners | None = None
    has_external_agent: bool = False


class CreateTemplateVersionRequest(Request):
    """A version of a template. Give either ``file_id`` or ``example_id``."""

    storage_method: Literal["file"] = "file"
    provisioner: ProvisionerType = ProvisionerType.TERRAFORM
    file_id: UUID | None = None
    example_id: str = ""
    name: VersionName = ""
    message: str = ""
    template_id: UUID | None = None
    tags: dict[str, str] = {}
    user_variable_values: list[NameValue] = []


class PatchTemplateVersionRequest(Request):
    name: VersionName = ""
    message: str | None = None


class UpdateActiveTemplateVersion(Request):
    id: UUID


class ArchiveTemplateVersionsRequest(Request):
    all: bool = False


class ArchiveTemplateVersionsResponse(Shape):
    template_id: UUID
    archived_ids: list[UUID] = []


class CreateTemplateVersionDryRunRequest(Request):
    workspace_name: str = ""
    rich_parameter_values: list[NameValue] = []
    user_variable_values: list[NameValue] = []


class ParameterType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    LIST = "list(string)"


class FormType(StrEnum):
    DEFAULT = ""
    RADIO = "radio"
    SLIDER = "slider"
    INPUT = "input"
    DROPDOWN = "dropdown"
    CHECKBOX = "checkbox"
    SWITCH = "switch"
    MULTI_SELECT = "multi-select"
    TAG_SELECT = "tag-select"
    TEXTAREA = "textarea"
    ERROR = "error"


class TemplateVersionParameterOption(Shape):
    name: str
    description: str = ""
    value: str
    icon: str = ""


class TemplateVersionParameter(Shape):
    name: str
    display_name: str = ""
    description: str = ""
    description_plaintext: str = ""
    type: ParameterType = ParameterType.STRING
    form_type: FormType = FormType.DEFAULT
    mutable: bool = False
    default_value: str = ""
    icon: str = ""
    options: list[TemplateVersionParameterOption] = []
    validation_error: str = ""
    validation_regex: str = ""
    validation_min: int | None = None
    validation_max: int | None = None
    validation_monotonic: str = ""
    required: bool = False
    ephemeral: bool = False


class TemplateVersionVariable(Shape):
    name: str
    description: str = ""
    type: str = "string"
    value: str = ""
    default_value: str = ""
    required: bool = False
    sensitive: bool = False


class PresetParameter(Shape):
    name: str = Field(alias="Name")
    value: str = Field(alias="Value")


class Preset(Shape):
    id: UUID = Field(alias="ID")
    name: str = Field(alias="Name")
    parameters: list[PresetParameter] = Field(default=[], alias="Parameters")
    default: bool = Field(default=False, alias="Default")
    desired_prebuild_instances: int | None = Field(default=None, alias="DesiredPrebuildInstances")
    description: str = Field(default="", alias="Description")
    icon: str = Field(default="", alias="Icon")


class TemplateVersionExternalAuth(Shape):
    id: str
    type: str
    display_name: str = ""
    display_icon: str = ""
    authenticate_url: str = ""
    authenticated: bool = False
    optional: bool = False


class TemplateExample(Shape):
    """A starter template that the server carries."""

    id: str
    url: str = ""
    name: str
    description: str = ""
    icon: str = ""
    tags: list[str] = []
    markdown: str = ""


class DAUEntry(Shape):
    date: str
    amount: int


class DAUsResponse(Shape):
    entries: list[DAUEntry] = []
    tz_hour_offset: int = 0


class InvalidatedPreset(Shape):
    template_name: str
    template_version_name: str
    preset_name: str


class InvalidatePresetsResponse(Shape):
    invalidated: list[InvalidatedPreset] = []
