"""Why an agent begins anew. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Reason(StrEnum):
    """In the words that agents know."""

    PREBUILD_CLAIMED = "prebuild_claimed"


@dataclass(frozen=True, slots=True)
class Reinit:
    """The word to begin anew."""

    workspace_id: UUID
    reason: Reason
