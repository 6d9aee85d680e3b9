"""What a provisioner daemon of another machine is told when it is started."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provisioner:
    """What a daemon is told when it is started."""

    url: str
    """The server."""
    name: str
    organization: str = "default"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """What every request carries: who we are."""
