"""Rows that clients read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A line of an agent's log."""

    id: int
    created_at: datetime
    output: str
    level: str
    source_id: UUID


@dataclass(frozen=True, slots=True)
class LogSource:
    """Who writes lines: a script, or somebody outside."""

    id: UUID
    workspace_agent_id: UUID
    display_name: str
    icon: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """A collected value."""

    key: str
    value: str
    error: str
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class LogRange:
    """Which part of a log is wanted: ids, both ends excluded."""

    after: int = 0
    before: int | None = None
