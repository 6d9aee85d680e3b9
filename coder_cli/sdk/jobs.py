"""Provisioner jobs: what runs Terraform for template versions and builds, and what it said."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.common import ZERO_ID, Shape, Time
from coder_cli.sdk.words import LogLevel


class ProvisionerType(StrEnum):
    TERRAFORM = "terraform"
    ECHO = "echo"


class JobStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CANCELING = "canceling"
    CANCELED = "canceled"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def active(self) -> bool:
        """Say whether the job may still change."""
        return self in {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.CANCELING}


class JobType(StrEnum):
    TEMPLATE_VERSION_IMPORT = "template_version_import"
    WORKSPACE_BUILD = "workspace_build"
    TEMPLATE_VERSION_DRY_RUN = "template_version_dry_run"


class JobErrorCode(StrEnum):
    NONE = ""
    REQUIRED_TEMPLATE_VARIABLES = "REQUIRED_TEMPLATE_VARIABLES"
    INSUFFICIENT_QUOTA = "INSUFFICIENT_QUOTA"


class LogSource(StrEnum):
    PROVISIONER_DAEMON = "provisioner_daemon"
    PROVISIONER = "provisioner"


class JobInput(Shape):
    template_version_id: UUID | None = None
    workspace_build_id: UUID | None = None
    error: str = ""


class JobMetadata(Shape):
    template_version_name: str = ""
    template_id: UUID = ZERO_ID
    template_name: str = ""
    template_display_name: str = ""
    template_icon: str = ""
    workspace_id: UUID | None = None
    workspace_name: str = ""


class ProvisionerJob(Shape):
    id: UUID
    created_at: Time
    started_at: Time | None = None
    completed_at: Time | None = None
    canceled_at: Time | None = None
    error: str = ""
    error_code: JobErrorCode = JobErrorCode.NONE
    status: JobStatus
    worker_id: UUID | None = None
    worker_name: str = ""
    file_id: UUID = ZERO_ID
    tags: dict[str, str] = {}
    queue_position: int = 0
    queue_size: int = 0
    organization_id: UUID
    initiator_id: UUID = ZERO_ID
    input: JobInput = Field(default_factory=JobInput)
    type: JobType
    available_workers: list[UUID] = []
    metadata: JobMetadata = Field(default_factory=JobMetadata)
    logs_overflowed: bool = False


class ProvisionerJobLog(Shape):
    id: int
    created_at: Time
    log_source: LogSource
    log_level: LogLevel
    stage: str
    output: str


class ProvisionerDaemonStatus(StrEnum):
    OFFLINE = "offline"
    IDLE = "idle"
    BUSY = "busy"


class ProvisionerDaemonJob(Shape):
    id: UUID
    status: JobStatus
    template_name: str = ""
    template_icon: str = ""
    template_display_name: str = ""


class ProvisionerDaemon(Shape):
    id: UUID
    organization_id: UUID
    created_at: Time
    last_seen_at: Time | None = None
    name: str
    version: str
    api_version: str
    provisioners: list[ProvisionerType] = []
    tags: dict[str, str] = {}
    key_id: UUID = ZERO_ID
    key_name: str | None = None
    status: ProvisionerDaemonStatus | None = None
    current_job: ProvisionerDaemonJob | None = None
    previous_job: ProvisionerDaemonJob | None = None


class MatchedProvisioners(Shape):
    count: int = 0
    available: int = 0
    most_recently_seen: Time | None = None


class ProvisionerTiming(Shape):
    job_id: UUID
    started_at: Time
    ended_at: Time
    stage: str
    source: str
    action: str
    resource: str
