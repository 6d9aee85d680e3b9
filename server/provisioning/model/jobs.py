"""Jobs as values: what is asked, what is stored, what a lease is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.provisioning.model.states import State, state_of


class JobType(StrEnum):
    """What a job does."""

    TEMPLATE_VERSION_IMPORT = "template_version_import"
    WORKSPACE_BUILD = "workspace_build"
    TEMPLATE_VERSION_DRY_RUN = "template_version_dry_run"


LEASE = timedelta(seconds=15)
"""How long a job belongs to its worker without a heartbeat."""

BEAT_SECONDS = 5.0

GIVE_UP = timedelta(seconds=10)
"""A worker that could not renew for so long stops its work, so that it has ended when the lease
does and nothing runs twice."""

FAR_LEASE = timedelta(seconds=30)
"""The same for workers of other machines: a restart of the server must not cost them their job."""

FAR_GIVE_UP = timedelta(seconds=25)

MAX_ATTEMPTS = 3
"""The first run and two takeovers."""

HUNG = timedelta(minutes=5)
STALE_PENDING = timedelta(minutes=30)
REAP_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be queued. ``input`` names rows: ``template_version_id``, ``workspace_build_id``."""

    type: JobType
    organization_id: UUID
    initiator_id: UUID
    file_id: UUID
    input: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    priority: int = 0
    """Higher goes first; builds that nobody waits for are below 0."""


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the queue."""

    id: UUID
    organization_id: UUID
    initiator_id: UUID
    type: JobType
    file_id: UUID
    input: dict[str, Any]
    tags: dict[str, str]
    priority: int
    worker_id: UUID | None
    attempt: int
    lease_token: UUID | None
    lease_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    canceled_at: datetime | None
    completed_at: datetime | None
    error: str
    error_code: str
    logs_length: int
    logs_overflowed: bool

    @property
    def state(self) -> State:
        """Return where this job is in its life."""
        return state_of(self.started_at, self.canceled_at, self.completed_at, self.error)

    @property
    def exhausted(self) -> bool:
        """Tell whether too many workers were lost over this job."""
        return self.attempt > MAX_ATTEMPTS

    def input_id(self, name: str) -> UUID:
        """Return an id that the input carries."""
        return UUID(str(self.input[name]))


@dataclass(frozen=True, slots=True)
class Acquired(Job):
    """A job just leased."""

    resumed: bool
    """Somebody worked on it before, and may have left something behind."""


@dataclass(frozen=True, slots=True)
class JobView(Job):
    """A job as people see it: with its place in the queue, its worker and what it is about."""

    worker_name: str
    queue_position: int
    queue_size: int
    template_version_id: UUID | None
    template_version_name: str
    template_id: UUID | None
    template_name: str
    template_display_name: str
    template_icon: str
    workspace_id: UUID | None
    workspace_name: str


def job_tags(given: Mapping[str, str], user_id: UUID) -> dict[str, str]:
    """Return a job's tags: what was given, with the scope and owner that decide who may run it."""
    if given.get("scope") == "user":
        return {**given, "scope": "user", "owner": given.get("owner") or str(user_id)}
    return {**given, "scope": "organization", "owner": ""}
