"""What somebody asks for: a workspace, or one more build of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from coder_cli.sdk.builds import Transition


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """A start, stop or delete; what is not said comes from the build before."""

    transition: Transition
    version_id: UUID | None = None
    preset_id: UUID | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    reason: str = "initiator"
    state: bytes | None = field(default=None, repr=False)
    """Start from this Terraform state instead of the last one."""
    orphan: bool = False
    """Forget what was made instead of destroying it."""
    log_level: str = ""


@dataclass(frozen=True, slots=True)
class WorkspaceOrder:
    """A new workspace and its first start; exactly one of the ids says of what."""

    name: str
    template_id: UUID | None = None
    version_id: UUID | None = None
    preset_id: UUID | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    autostart_schedule: str = ""
    ttl_ms: int | None = None
    automatic_updates: str = "never"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the form of a build came to; it is evaluated before the build's unit of work begins."""

    version_id: UUID
    after: UUID | None
    """The build that it follows; None for the first one."""
    values: Mapping[str, str]
    workspace_tags: Mapping[str, str]
