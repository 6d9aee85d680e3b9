"""How a workspace stands for somebody who wants to work in it: its latest build, and its agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.builds import Transition, WorkspaceStatus
from coder_cli.sdk.jobs import JobStatus
from coder_cli.sdk.words import AgentLifecycle
from server.kit.authz import Kind, Object, Shares
from server.provisioning import AgentStatus, AgentTimes, agent_status
from server.workspaces.model.status import workspace_status


@dataclass(frozen=True, slots=True)
class StandingAgent:
    """An agent of the latest build that no other agent made."""

    id: UUID
    name: str
    external: bool
    """Somebody starts it by hand, on a machine of theirs."""
    operating_system: str
    directory: str
    expanded_directory: str
    """Where it works, as it told; empty until it did."""
    lifecycle_state: str
    created_at: datetime
    connection_timeout_seconds: int
    first_connected_at: datetime | None
    last_connected_at: datetime | None
    disconnected_at: datetime | None

    @property
    def lifecycle(self) -> AgentLifecycle:
        """Return how far its scripts are."""
        return AgentLifecycle(self.lifecycle_state)

    def status(self, now: datetime) -> AgentStatus:
        """Return how its line stands."""
        times = AgentTimes(
            self.created_at,
            self.connection_timeout_seconds,
            self.first_connected_at,
            self.last_connected_at,
            self.disconnected_at,
        )
        return agent_status(times, now)


@dataclass(frozen=True, slots=True)
class StandingBuild:
    """A workspace with its latest build, in one row."""

    workspace_id: UUID
    workspace_name: str
    owner_id: UUID
    organization_id: UUID
    template_id: UUID
    deleted: bool
    dormant: bool
    user_acl: Shares
    group_acl: Shares
    build_id: UUID
    job_id: UUID
    transition: str
    job_state: str
    job_error: str

    @property
    def object(self) -> Object:
        """Return what rights on it are asked for."""
        kind = Kind.WORKSPACE_DORMANT if self.dormant else Kind.WORKSPACE
        return Object(
            kind,
            self.workspace_id,
            self.owner_id,
            self.organization_id,
            self.user_acl,
            self.group_acl,
        )

    @property
    def status(self) -> WorkspaceStatus:
        """Return the workspace's status."""
        return workspace_status(Transition(self.transition), JobStatus(self.job_state))


@dataclass(frozen=True, slots=True)
class Standing:
    """A workspace, its latest build and that one's agents, as they were at ``now``."""

    build: StandingBuild
    agents: Sequence[StandingAgent]
    now: datetime


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """How somebody has used a template."""

    template_id: UUID
    active: int
    deleted: int
    last_used_at: datetime
