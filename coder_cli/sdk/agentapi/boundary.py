"""What a boundary, the firewall around a process of a workspace, let through or stopped."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """A request. ``matched_rule`` is what let it through."""

    method: str = ""
    url: str = ""
    matched_rule: str = ""


@dataclass(frozen=True, slots=True)
class BoundaryLog:
    """One access to a resource."""

    allowed: bool
    time: datetime
    http_request: HttpAccess | None = None
    sequence_number: int = 0


@dataclass(frozen=True, slots=True)
class BoundaryLogs:
    """A batch; the params of ``report_boundary_logs``."""

    logs: tuple[BoundaryLog, ...] = ()
    session_id: str = ""
    confined_process_name: str = ""
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    """Logs that were lost on the way since the last report, by reason."""
