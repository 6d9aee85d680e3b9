"""Counters of what boundaries told. Pure."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class BoundaryCounts:
    """What this replica has heard of boundaries."""

    batches: int = 0
    requests: Counter[str] = field(default_factory=Counter[str])
    """By decision."""
    dropped: Counter[str] = field(default_factory=Counter[str])
    """By reason."""
