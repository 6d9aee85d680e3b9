"""What a client may ask of a terminal, and how the agent is told. Pure.

Source: reference, agent and provisioner, section 2.4.
"""

import json
from dataclasses import dataclass
from uuid import UUID

from server.kit.errors import FieldError, Invalid

_LONGEST = 0xFFFF
"""The words' length goes before them in two bytes."""


@dataclass(frozen=True, slots=True)
class TerminalWish:
    """Which terminal, how large, and what runs on it if it is new."""

    reconnect: UUID
    height: int
    width: int
    command: str = ""
    container: str = ""
    container_user: str = ""
    backend_type: str = ""

    def first_words(self) -> bytes:
        """Return what a client says first to the agent.

        Raises:
            Invalid: it is too much.
        """
        words = json.dumps(
            {
                "ID": str(self.reconnect),
                "Height": self.height,
                "Width": self.width,
                "Command": self.command,
                "Container": self.container,
                "ContainerUser": self.container_user,
                "BackendType": self.backend_type,
            }
        ).encode()
        if len(words) > _LONGEST:
            field = FieldError("command", "It is too long.")
            raise Invalid("The command is too long for a terminal.", fields=[field])
        return len(words).to_bytes(2, "little") + words
