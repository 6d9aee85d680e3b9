"""A workspace: somebody's machine, whatever its builds make of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.kit.authz import Kind, Object, Shares
from server.workspaces.model.deadline import AutostopRules


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace as people see it, with what belongs to it by name."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    owner_id: UUID
    owner_name: str
    owner_avatar_url: str
    organization_id: UUID
    organization_name: str
    template_id: UUID
    template_name: str
    template_display_name: str
    template_icon: str
    template_allow_user_cancel_workspace_jobs: bool
    template_active_version_id: UUID
    template_require_active_version: bool
    template_use_classic_parameter_flow: bool
    template_allow_user_autostart: bool
    template_autostart_days: list[str]
    template_user_acl: Shares
    template_group_acl: Shares
    default_ttl_ms: int
    allow_user_autostop: bool
    activity_bump_ms: int
    name: str
    deleted: bool
    autostart_schedule: str | None
    ttl_ms: int | None
    last_used_at: datetime
    deleting_at: datetime | None
    dormant_at: datetime | None
    automatic_updates: str
    favorite: bool
    next_start_at: datetime | None
    user_acl: Shares
    group_acl: Shares
    latest_build_id: UUID

    @property
    def object(self) -> Object:
        """Return what a right is asked for; a dormant workspace gives fewer of them."""
        kind = Kind.WORKSPACE if self.dormant_at is None else Kind.WORKSPACE_DORMANT
        return Object(
            kind, self.id, self.owner_id, self.organization_id, self.user_acl, self.group_acl
        )

    @property
    def template(self) -> Object:
        """Return what a right on its template is asked for."""
        return Object(
            Kind.TEMPLATE,
            self.template_id,
            organization_id=self.organization_id,
            user_acl=self.template_user_acl,
            group_acl=self.template_group_acl,
        )

    @property
    def rules(self) -> AutostopRules:
        """Return what the template says about stopping by itself."""
        return AutostopRules(self.default_ttl_ms, self.allow_user_autostop, self.activity_bump_ms)


def session_token_name(owner_id: UUID, workspace_id: UUID) -> str:
    """Return what the session token is called that templates may hand to a workspace."""
    return f"{owner_id}_{workspace_id}_session_token"


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """A row to be written."""

    id: UUID
    owner_id: UUID
    organization_id: UUID
    template_id: UUID
    name: str
    autostart_schedule: str | None
    ttl_ms: int | None
    automatic_updates: str
    next_start_at: datetime | None
