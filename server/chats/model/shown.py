"""What lists and pages show of chats besides the row itself."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.chats.model.chat import Chat
from server.chats.model.diff import DiffStatus


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat as lists show it: with its branch, and a root with its sub-agents."""

    chat: Chat
    diff: DiffStatus | None = None
    children: tuple["Shown", ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What somebody said before."""

    id: int
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Diff:
    """A chat's branch, and its diff if there is a pull request."""

    chat_id: UUID
    status: DiffStatus | None
    provider: str = ""
    text: str = ""
