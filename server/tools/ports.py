"""What tools need of the chat they are used in; `chats` implements it, lists do in tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.kit.authz import Actor
from server.llm import Json


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """The chat that a turn belongs to, as it was when the turn began."""

    id: UUID
    organization_id: UUID
    owner: Actor
    owner_name: str
    title: str
    workspace_id: UUID | None = None
    agent_id: UUID | None = None
    ancestors: tuple[UUID, ...] = ()
    """Parent and root, nearest first; empty for a root."""
    mode: str = ""
    """``explore`` or empty."""
    planning: bool = False

    @property
    def is_root(self) -> bool:
        """Tell whether no other chat made this one."""
        return not self.ancestors


@dataclass(frozen=True, slots=True)
class Binding:
    """The workspace that a chat works in."""

    workspace_id: UUID
    build_id: UUID | None = None
    agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChildOrder:
    """A sub-agent to be made."""

    prompt: str
    type: str = "general"
    title: str = ""
    model_config_id: UUID | None = None
    reasoning_effort: str = ""


@dataclass(frozen=True, slots=True)
class Child:
    """A sub-agent: ``report`` is its last words once it is done, ``error`` why it failed."""

    chat_id: UUID
    title: str
    status: str
    type: str
    created_at: datetime
    updated_at: datetime
    report: str = ""
    error: Mapping[str, Json] | None = None

    @property
    def done(self) -> bool:
        """Tell whether it works no more."""
        return self.status in ("waiting", "error", "requires_action")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that the chat now has."""

    id: UUID
    name: str
    media_type: str
    size: int


class ChatPort(Protocol):
    """The chat's own doings. All act for its owner, and raise ``ApiError`` with a sentence."""

    async def bind(self, binding: Binding) -> None:
        """Remember the workspace on the chat, and tell watchers."""
        ...

    async def workspace_ttl_ms(self) -> int | None:
        """Return how long workspaces made by chats live; None is the template's own."""
        ...

    async def allowed_templates(self) -> frozenset[UUID] | None:
        """Return the templates that chats may use; None is all."""
        ...

    async def keep_file(self, name: str, media_type: str, content: bytes) -> StoredFile:
        """Store a file and link it to the chat."""
        ...

    async def spawn(self, order: ChildOrder) -> Child:
        """Make a child chat and start it."""
        ...

    async def child(self, chat_id: UUID) -> Child:
        """Return a child; others are refused (``target chat is not a descendant …``)."""
        ...

    async def wait_child(self, chat_id: UUID, seconds: float) -> Child:
        """Return a child when it is done, or as it is when the time is over."""
        ...

    async def message_child(self, chat_id: UUID, message: str, *, interrupt: bool) -> Child:
        """Send to a child; its queue takes what comes while it works."""
        ...

    async def interrupt_child(self, chat_id: UUID) -> Child:
        """Stop a child's turn."""
        ...

    async def children(self, limit: int, offset: int) -> tuple[list[Child], int]:
        """Return children, newest first, and how many there are."""
        ...
