"""A build: one start, stop or delete of a workspace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.builds import Transition
from server.workspaces.model.deadline import AutostopRules


@dataclass(frozen=True, slots=True)
class Build:
    """A build as people see it; its job and resources are provisioning's."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    workspace_id: UUID
    workspace_name: str
    owner_id: UUID
    owner_name: str
    owner_avatar_url: str
    organization_id: UUID
    template_id: UUID
    template_version_id: UUID
    template_version_name: str
    build_number: int
    transition: str
    initiator_id: UUID
    initiator_name: str
    job_id: UUID
    reason: str
    deadline: datetime | None
    max_deadline: datetime | None
    daily_cost: int
    preset_id: UUID | None
    has_ai_task: bool
    has_external_agent: bool


@dataclass(frozen=True, slots=True)
class NewBuild:
    """A row to be written; the number is the lock against a second build of the same moment."""

    id: UUID
    workspace_id: UUID
    build_number: int
    template_version_id: UUID
    transition: Transition
    reason: str
    initiator_id: UUID
    job_id: UUID
    preset_id: UUID | None = None
    orphan: bool = False
    log_level: str = ""
    state: bytes | None = field(default=None, repr=False)
    deadline: datetime | None = None
    max_deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastBuild:
    """What the next build stands on; read under the lock of its workspace."""

    id: UUID
    build_number: int
    transition: str
    template_version_id: UUID
    active: bool
    """Its job has not ended."""
    deadline: datetime | None
    max_deadline: datetime | None


@dataclass(frozen=True, slots=True)
class RunningBuild:
    """What the work of a build needs of our rows."""

    build_id: UUID
    build_number: int
    transition: str
    template_version_id: UUID
    version_name: str
    template_id: UUID
    template_name: str
    workspace_id: UUID
    workspace_name: str
    owner_id: UUID
    organization_id: UUID
    ttl_ms: int | None
    orphan: bool
    log_level: str
    state: bytes | None = field(repr=False)
    previous_id: UUID | None
    max_deadline: datetime | None
    default_ttl_ms: int
    allow_user_autostop: bool
    activity_bump_ms: int
    autostart_schedule: str | None
    autostart_days: list[str]

    @property
    def rules(self) -> AutostopRules:
        """Return what the template says about stopping by itself."""
        return AutostopRules(self.default_ttl_ms, self.allow_user_autostop, self.activity_bump_ms)


Values = Mapping[str, str]
"""Parameter values by name."""
