"""What may be called on the line of a provisioner daemon, and with what. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID


class Call(StrEnum):
    """The names of calls; all but the last are the daemon's."""

    HELLO = "hello"
    ACQUIRE = "acquire"
    ENOUGH = "enough"
    """The daemon takes no more jobs; an ``acquire`` under way is answered at once."""
    RENEW = "renew"
    SAY = "say"
    CLOSE = "close"
    LIVE = "live"

    CANCELLED = "cancelled"
    """Of the server: somebody asked a job to end."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job, and the token that shows whose it is."""

    job_id: UUID
    token: UUID


@dataclass(frozen=True, slots=True)
class Live:
    """Jobs of which a daemon wants to know whether they go on."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Hello:
    """What a daemon is told first."""

    version: str
    force_cancel: float

    @property
    def patience(self) -> timedelta:
        """Return how long a cancelled job may take to stop: what the server says, within reason."""
        return timedelta(seconds=min(max(self.force_cancel, 0.0), 86_400.0))


@dataclass(frozen=True, slots=True)
class Renewed:
    cancelled: bool | None


@dataclass(frozen=True, slots=True)
class Cut:
    """What of some lines did not fit into the log."""

    cut_lines: int
    cut_bytes: int
