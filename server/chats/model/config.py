"""Settings of chats that admins and users change while the server runs.

Source: reference, chats, section 2.12. One read serves a whole turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

LARGEST_BODY: Final = 256 * 1024
SHORTEST_TTL: Final = timedelta(minutes=1)
LONGEST_TTL: Final = timedelta(days=30)
MOST_DAYS: Final = 3650
RETENTION_DAYS: Final = 30
DEBUG_RETENTION_DAYS: Final = 30
THRESHOLD: Final = "chat_compaction_threshold_pct:"
"""A user's threshold of a model: the key goes on with the model's id."""
CUSTOM_PROMPT: Final = "chat_custom_prompt"


class Setting(StrEnum):
    """A deployment's setting, by its key."""

    SYSTEM_PROMPT = "agents_system_prompt"
    INCLUDE_DEFAULT_SYSTEM_PROMPT = "agents_include_default_system_prompt"
    PLAN_MODE_INSTRUCTIONS = "agents_plan_mode_instructions"
    DESKTOP_ENABLED = "agents_desktop_enabled"
    TEMPLATE_ALLOWLIST = "agents_template_allowlist"
    WORKSPACE_TTL = "agents_workspace_ttl"
    RETENTION_DAYS = "agents_retention_days"
    AUTO_ARCHIVE_DAYS = "agents_auto_archive_days"
    DEBUG_RETENTION_DAYS = "agents_debug_retention_days"


@dataclass(frozen=True, slots=True)
class TurnConfig:
    """Everything a turn asks of the settings."""

    system_prompt: str = ""
    include_default_system_prompt: bool = True
    plan_mode_instructions: str = ""
    personal_prompt: str = ""
    thresholds: Mapping[UUID, int] = field(default_factory=dict[UUID, int])
    """The owner's compaction thresholds (percent), by model configuration."""
    template_ids: frozenset[UUID] | None = None
    """Templates that chats may use; None is all."""
    workspace_ttl_ms: int | None = None
    """How long workspaces made by chats live; None is the template's own."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How long chats are kept."""

    retention_days: int = RETENTION_DAYS
    """Archived ones, until they are deleted; 0 is for ever."""
    auto_archive_days: int = 0
    """Idle ones, until they are archived; 0 is never."""


def turn_config(site: Mapping[str, str], user: Mapping[str, str]) -> TurnConfig:
    """Return what the stored texts mean; what is not stored has its default."""
    templates = template_ids(site.get(Setting.TEMPLATE_ALLOWLIST, ""))
    ttl = whole(site.get(Setting.WORKSPACE_TTL), 0)
    return TurnConfig(
        system_prompt=site.get(Setting.SYSTEM_PROMPT, ""),
        include_default_system_prompt=flag(site.get(Setting.INCLUDE_DEFAULT_SYSTEM_PROMPT, "true")),
        plan_mode_instructions=site.get(Setting.PLAN_MODE_INSTRUCTIONS, ""),
        personal_prompt=user.get(CUSTOM_PROMPT, ""),
        thresholds=thresholds(user),
        template_ids=frozenset(templates) if templates else None,
        workspace_ttl_ms=ttl or None,
    )


def kept(site: Mapping[str, str]) -> Kept:
    """Return how long chats are kept."""
    return Kept(
        whole(site.get(Setting.RETENTION_DAYS), RETENTION_DAYS),
        whole(site.get(Setting.AUTO_ARCHIVE_DAYS), 0),
    )


def thresholds(user: Mapping[str, str]) -> dict[UUID, int]:
    """Return a user's thresholds by model."""
    return {
        UUID(key.removeprefix(THRESHOLD)): int(value)
        for key, value in user.items()
        if key.startswith(THRESHOLD)
    }


def template_ids(value: str) -> list[UUID]:
    """Return the ids in a stored allow-list."""
    return [UUID(one) for one in value.split(",") if one]


def flag(value: str) -> bool:
    """Return a stored switch."""
    return value == "true"


def whole(value: str | None, otherwise: int) -> int:
    """Return a stored number."""
    return otherwise if value is None else int(value)
