"""Workspace builds: one start, stop or delete, with the resources it made."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.agents import WorkspaceAgent
from coder_cli.sdk.common import ZERO_ID, NameValue, Request, Shape, Time
from coder_cli.sdk.jobs import MatchedProvisioners, ProvisionerJob, ProvisionerTiming
from coder_cli.sdk.words import ScriptStage, ScriptStatus


class Transition(StrEnum):
    START = "start"
    STOP = "stop"
    DELETE = "delete"


class WorkspaceStatus(StrEnum):
    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELING = "canceling"
    CANCELED = "canceled"
    DELETING = "deleting"
    DELETED = "deleted"


class BuildReason(StrEnum):
    INITIATOR = "initiator"
    AUTOSTART = "autostart"
    AUTOSTOP = "autostop"
    DORMANCY = "dormancy"
    DASHBOARD = "dashboard"
    CLI = "cli"
    SSH_CONNECTION = "ssh_connection"
    VSCODE_CONNECTION = "vscode_connection"
    JETBRAINS_CONNECTION = "jetbrains_connection"


class WorkspaceResourceMetadata(Shape):
    key: str
    value: str = ""
    sensitive: bool = False


class WorkspaceResource(Shape):
    id: UUID
    created_at: Time
    job_id: UUID
    workspace_transition: Transition
    type: str
    name: str
    hide: bool = False
    icon: str = ""
    agents: list[WorkspaceAgent] = []
    metadata: list[WorkspaceResourceMetadata] = []
    daily_cost: int = 0


class WorkspaceBuild(Shape):
    id: UUID
    created_at: Time
    updated_at: Time
    workspace_id: UUID
    workspace_name: str
    workspace_owner_id: UUID
    workspace_owner_name: str = ""
    workspace_owner_avatar_url: str = ""
    template_version_id: UUID
    template_version_name: str = ""
    build_number: int
    transition: Transition
    initiator_id: UUID = ZERO_ID
    initiator_name: str = ""
    job: ProvisionerJob
    reason: BuildReason = BuildReason.INITIATOR
    resources: list[WorkspaceResource] = []
    deadline: Time | None = None
    max_deadline: Time | None = None
    status: WorkspaceStatus
    daily_cost: int = 0
    matched_provisioners: MatchedProvisioners | None = None
    template_version_preset_id: UUID | None = None
    has_ai_task: bool | None = None
    has_external_agent: bool | None = None

    def agents(self) -> list[WorkspaceAgent]:
        """Return the agents of all resources, in the order of the resources."""
        return [agent for resource in self.resources for agent in resource.agents]


class CreateWorkspaceBuildRequest(Request):
    """One more build. Parameters that are not named keep the value of the build before."""

    transition: Transition
    template_version_id: UUID | None = None
    template_version_preset_id: UUID | None = None
    rich_parameter_values: list[NameValue] = []
    state: str = Field(default="", description="Terraform state, base64.")
    dry_run: bool = False
    orphan: bool = False
    log_level: Literal["", "debug"] = ""
    reason: Literal[
        "", "dashboard", "cli", "ssh_connection", "vscode_connection", "jetbrains_connection"
    ] = ""


class UpdateBuildStateRequest(Request):
    state: str = Field(description="Terraform state, base64.")


class AgentScriptTiming(Shape):
    started_at: Time
    ended_at: Time
    exit_code: int
    stage: ScriptStage
    status: ScriptStatus
    display_name: str = ""
    workspace_agent_id: UUID
    workspace_agent_name: str = ""


class AgentConnectionTiming(Shape):
    started_at: Time
    ended_at: Time
    stage: str = "connect"
    workspace_agent_id: UUID
    workspace_agent_name: str = ""


class WorkspaceBuildTimings(Shape):
    provisioner_timings: list[ProvisionerTiming] = []
    agent_script_timings: list[AgentScriptTiming] = []
    agent_connection_timings: list[AgentConnectionTiming] = []
