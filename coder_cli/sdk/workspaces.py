"""Workspaces: a person's machine, as lists and pages show it."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.agents import WorkspaceAppStatus
from coder_cli.sdk.builds import Transition, WorkspaceBuild
from coder_cli.sdk.common import Name, NameValue, Request, Shape, Time
from coder_cli.sdk.jobs import JobStatus
from coder_cli.sdk.templates import PortShareLevel
from coder_cli.sdk.users import MinimalUser


class AutomaticUpdates(StrEnum):
    ALWAYS = "always"
    NEVER = "never"


class WorkspaceRole(StrEnum):
    ADMIN = "admin"
    USE = "use"
    REMOVED = ""


class PortShareProtocol(StrEnum):
    HTTP = "http"
    HTTPS = "https"


class WorkspaceHealth(Shape):
    healthy: bool = True
    failing_agents: list[UUID] = []


class SharedWorkspaceActor(Shape):
    id: UUID
    name: str
    avatar_url: str = ""
    actor_type: Literal["user", "group"]
    roles: list[WorkspaceRole] = []


class Workspace(Shape):
    id: UUID
    created_at: Time
    updated_at: Time
    owner_id: UUID
    owner_name: str
    owner_avatar_url: str = ""
    organization_id: UUID
    organization_name: str = ""
    template_id: UUID
    template_name: str
    template_display_name: str = ""
    template_icon: str = ""
    template_allow_user_cancel_workspace_jobs: bool = True
    template_active_version_id: UUID
    template_require_active_version: bool = False
    template_use_classic_parameter_flow: bool = False
    latest_build: WorkspaceBuild
    latest_app_status: WorkspaceAppStatus | None = None
    outdated: bool = False
    name: str
    autostart_schedule: str | None = None
    ttl_ms: int | None = None
    last_used_at: Time
    deleting_at: Time | None = None
    dormant_at: Time | None = None
    health: WorkspaceHealth = Field(default_factory=WorkspaceHealth)
    automatic_updates: AutomaticUpdates = AutomaticUpdates.NEVER
    allow_renames: bool = False
    favorite: bool = False
    next_start_at: Time | None = None
    is_prebuild: bool = False
    task_id: UUID | None = None
    shared_with: list[SharedWorkspaceActor] = []


class WorkspacesResponse(Shape):
    workspaces: list[Workspace]
    count: int


class CreateWorkspaceRequest(Request):
    """A new workspace. Give either ``template_id`` or ``template_version_id``."""

    name: Name
    template_id: UUID | None = None
    template_version_id: UUID | None = None
    template_version_preset_id: UUID | None = None
    autostart_schedule: str | None = None
    ttl_ms: int | None = None
    rich_parameter_values: list[NameValue] = []
    automatic_updates: AutomaticUpdates | Literal[""] = ""


class UpdateWorkspaceRequest(Request):
    name: Name | Literal[""] = ""


class UpdateWorkspaceAutostartRequest(Request):
    """The weekly start; null or empty clears it."""

    schedule: str | None = None


class UpdateWorkspaceTTLRequest(Request):
    """How long the workspace runs after a start; null or 0 clears it."""

    ttl_ms: int | None = None


class PutExtendWorkspaceRequest(Request):
    deadline: Time


class UpdateWorkspaceDormancy(Request):
    dormant: bool


class UpdateWorkspaceAutomaticUpdatesRequest(Request):
    automatic_updates: AutomaticUpdates


class ResolveAutostartResponse(Shape):
    parameter_mismatch: bool = False


class PostWorkspaceUsageRequest(Request):
    agent_id: UUID | None = None
    app_name: Literal["", "vscode", "jetbrains", "reconnecting-pty", "ssh"] = ""


class WorkspaceAgentPortShare(Shape):
    workspace_id: UUID
    agent_name: str
    port: int
    share_level: PortShareLevel
    protocol: PortShareProtocol = PortShareProtocol.HTTP


class WorkspaceAgentPortShares(Shape):
    shares: list[WorkspaceAgentPortShare] = []


class UpsertWorkspaceAgentPortShareRequest(Request):
    """Open a port. Those below 9 are the agent's own."""

    agent_name: str
    port: int = Field(ge=9, le=65535)
    """Those below are the agent's own: 1 is its SSH server, 2 its terminals, 4 its API."""
    share_level: PortShareLevel
    protocol: PortShareProtocol = PortShareProtocol.HTTP


class DeleteWorkspaceAgentPortShareRequest(Request):
    agent_name: str
    port: int = Field(ge=1, le=65535)


class WorkspaceUser(MinimalUser):
    """Somebody whom a workspace is shared with."""

    role: WorkspaceRole


class WorkspaceGroup(Shape):
    """A group that a workspace is shared with."""

    id: UUID
    name: str
    display_name: str = ""
    organization_id: UUID
    organization_name: str = ""
    organization_display_name: str = ""
    members: list[MinimalUser] = []
    total_member_count: int = 0
    avatar_url: str = ""
    quota_allowance: int = 0
    source: Literal["user", "oidc"] = "user"
    role: WorkspaceRole


class WorkspaceACL(Shape):
    users: list[WorkspaceUser] = []
    groups: list[WorkspaceGroup] = []


class UpdateWorkspaceACL(Request):
    """Roles by id; an empty role takes it away. Users may be named by username, too."""

    user_roles: dict[str, WorkspaceRole] = {}
    group_roles: dict[str, WorkspaceRole] = {}


class ExternalAgentCredentials(Shape):
    """What starts an agent outside: a command, and the token in it."""

    command: str
    agent_token: str


class WorkspaceBuildUpdate(Shape):
    """How the latest build of some workspace stands now."""

    workspace_id: UUID
    workspace_name: str
    build_id: UUID
    build_number: int
    transition: Transition
    job_status: JobStatus
