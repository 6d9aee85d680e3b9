"""Templates, their versions and presets, as stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from server.kit.authz import Kind, Object
from server.provisioning import State


@dataclass(frozen=True, slots=True)
class Template:
    """What workspaces are made from; ``deprecated`` is the message, empty when it is not."""

    id: UUID
    organization_id: UUID
    name: str
    display_name: str
    description: str
    icon: str
    provisioner: str
    active_version_id: UUID
    created_by: UUID
    deleted: bool
    deprecated: str
    default_ttl_ms: int
    activity_bump_ms: int
    failure_ttl_ms: int
    time_til_dormant_ms: int
    time_til_dormant_autodelete_ms: int
    autostop_days: list[str]
    autostop_weeks: int
    autostart_days: list[str]
    allow_user_autostart: bool
    allow_user_autostop: bool
    allow_user_cancel_workspace_jobs: bool
    require_active_version: bool
    use_classic_parameter_flow: bool
    max_port_share_level: str
    cors_behavior: str
    time_til_autostop_notify_ms: int
    agents_allowed: bool
    user_acl: dict[str, str]
    group_acl: dict[str, str]
    created_at: datetime
    updated_at: datetime
    organization_name: str
    organization_display_name: str
    organization_icon: str
    created_by_name: str
    active_user_count: int

    @property
    def object(self) -> Object:
        """Return what rights on this template are asked for."""
        return Object(
            Kind.TEMPLATE,
            self.id,
            organization_id=self.organization_id,
            user_acl=self.user_acl,
            group_acl=self.group_acl,
        )


@dataclass(frozen=True, slots=True)
class BuildTime:
    """How long builds of a template took lately, in milliseconds."""

    template_id: UUID
    transition: str
    p50: int
    p95: int


@dataclass(frozen=True, slots=True)
class Version:
    """One pushed state of a template, with its import's job and archive."""

    id: UUID
    template_id: UUID | None
    organization_id: UUID
    name: str
    message: str
    readme: str
    job_id: UUID
    created_by: UUID
    archived: bool
    has_ai_task: bool
    has_external_agent: bool
    external_auth: list[dict[str, Any]]
    workspace_tags: dict[str, str]
    created_at: datetime
    updated_at: datetime
    created_by_username: str
    created_by_name: str
    created_by_avatar_url: str
    file_id: UUID
    tags: dict[str, str]
    job_state: str
    template_name: str
    """Empty as long as the version belongs to no template."""
    user_acl: dict[str, str]
    group_acl: dict[str, str]

    @property
    def imported(self) -> bool:
        """Tell whether builds can use this version."""
        return self.job_state == State.SUCCEEDED

    @property
    def object(self) -> Object:
        """Return what rights on this version are asked for: those on its template."""
        return Object(
            Kind.TEMPLATE,
            self.template_id,
            organization_id=self.organization_id,
            user_acl=self.user_acl,
            group_acl=self.group_acl,
        )


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of parameter values of one version."""

    id: UUID
    name: str
    parameters: dict[str, str]
    description: str
    icon: str
    is_default: bool
    prebuild: dict[str, Any] | None

    @property
    def desired_instances(self) -> int | None:
        """Return how many ready workspaces are to be kept, if any are."""
        return None if self.prebuild is None else int(self.prebuild["instances"])


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded archive, without its content."""

    id: UUID
    created_by: UUID
    mimetype: str


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be written, and imported from an archive."""

    organization_id: UUID
    file_id: UUID
    name: str
    message: str = ""
    template_id: UUID | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
