"""When a running workspace stops by itself, and who may put that off.

Source: reference, API and CLI, section 3.4.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_TTL_MS = 60_000
MAX_TTL_MS = 30 * 86_400_000
MIN_EXTENSION = timedelta(minutes=30)
BUMP_SHARE = 0.95
"""A bump is worth a write only after 5 % of its period has passed."""


@dataclass(frozen=True, slots=True)
class AutostopRules:
    """What a template lays down about stopping by itself."""

    default_ttl_ms: int
    allow_user_autostop: bool
    activity_bump_ms: int


def check_ttl(ttl_ms: int) -> str | None:
    """Return why a workspace cannot live that long, or None."""
    if ttl_ms < MIN_TTL_MS:
        return "time until shutdown must be at least one minute"
    if ttl_ms > MAX_TTL_MS:
        return "time until shutdown must be less than 30 days"
    return None


def started_deadline(
    now: datetime, ttl_ms: int | None, rules: AutostopRules, max_deadline: datetime | None = None
) -> datetime | None:
    """Return when a workspace that was started ``now`` stops by itself; None is never."""
    ttl = (ttl_ms or 0) if rules.allow_user_autostop else rules.default_ttl_ms
    deadline = now + timedelta(milliseconds=ttl) if ttl > 0 else None
    if max_deadline is None:
        return deadline
    return min(deadline, max_deadline) if deadline else max_deadline


def bumped_deadline(
    now: datetime, deadline: datetime | None, max_deadline: datetime | None, bump_ms: int
) -> datetime | None:
    """Return the deadline after activity ``now``, or None when it stays as it is."""
    if deadline is None or bump_ms <= 0:
        return None
    period = timedelta(milliseconds=bump_ms)
    if deadline - period * BUMP_SHARE >= now:
        return None
    later = min(now + period, max_deadline) if max_deadline else now + period
    return later if later > deadline else None


def check_extension(now: datetime, wanted: datetime, max_deadline: datetime | None) -> str | None:
    """Return why the deadline cannot be moved to ``wanted``, or None."""
    if wanted < now + MIN_EXTENSION:
        return "Cannot extend workspace: new deadline must be at least 30 minutes in the future"
    if max_deadline is not None and wanted > max_deadline:
        return "Cannot extend workspace beyond max deadline."
    return None
