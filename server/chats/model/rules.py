"""How much a chat may hold, as the deployment's settings say."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ChatRules:
    """Limits of one chat. Source: reference, chats, section 1.19."""

    most_queued: int = 20
    """Messages that wait."""
    most_files: int = 50
    longest_prompt: int = 131_072
    """Bytes of the deployment's prompt, and of each person's own."""


USUAL: Final = ChatRules()
