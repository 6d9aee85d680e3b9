"""Ports that somebody in the workspace listens on, as the agent's HTTP API tells them."""

from dataclasses import dataclass
from typing import Final

LISTENING: Final = "/api/v0/listening-ports"


@dataclass(frozen=True, slots=True)
class ListeningPort:
    """One port. ``process_name`` is empty when the process is another user's."""

    process_name: str
    port: int
    network: str = "tcp"


@dataclass(frozen=True, slots=True)
class ListeningPorts:
    """By port, each once."""

    ports: tuple[ListeningPort, ...] = ()
