"""The agent's HTTP API on port 4 of its streams: what all of its requests share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

PREFIX: Final = "/api/v0"
CHAT_HEADER: Final = "coder-chat-id"
ANCESTORS_HEADER: Final = "coder-ancestor-chat-ids"
"""A JSON array of the ids of the chats above, the root's last."""
MOST_ANCESTORS: Final = 64


@dataclass(frozen=True, slots=True)
class ChatContext:
    """For which chat a request is made. A chat sees its own processes only."""

    id: UUID
    ancestors: tuple[UUID, ...] = ()

    def headers(self) -> dict[str, str]:
        """Return the headers that say so."""
        ancestors = json.dumps([str(one) for one in self.ancestors])
        return {CHAT_HEADER: str(self.id), ANCESTORS_HEADER: ancestors}

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "ChatContext | None":
        """Return what ``headers``, with names in small letters, say; None without a chat.

        Raises:
            ValueError: a header is wrong; the message names it.
        """
        named = headers.get(CHAT_HEADER, "")
        if not named:
            return None
        try:
            above = json.loads(headers.get(ANCESTORS_HEADER) or "[]")
            ancestors = tuple(UUID(one) for one in above)
            chat = cls(UUID(named), ancestors)
        except (ValueError, TypeError, AttributeError, RecursionError):
            words = "must be a UUID, and a JSON array of UUIDs"
            raise ValueError(
                f"The headers Coder-Chat-Id and Coder-Ancestor-Chat-Ids {words}."
            ) from None
        if len(ancestors) > MOST_ANCESTORS:
            raise ValueError(f"Coder-Ancestor-Chat-Ids names {MOST_ANCESTORS} chats at most.")
        return chat


@dataclass(frozen=True, slots=True)
class Message:
    """An answer that is a sentence."""

    message: str
