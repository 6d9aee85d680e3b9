"""What happened to chats. Ids and versions only: whoever listens re-reads."""

from enum import StrEnum
from uuid import UUID

from typing_extensions import override

from server.kit.facts import Fact

RUNNABLE = "chats"
"""The topic that wakes workers: somewhere a chat waits for a runner."""


AWAY = "chats-away"
"""The topic of chats that were put away: what they left running can end."""


def chat_topic(chat_id: UUID) -> str:
    """Return the topic of everything that changes one chat."""
    return f"chat:{chat_id}"


def owner_topic(owner_id: UUID) -> str:
    """Return the topic of everything that changes a user's chats."""
    return f"chats:{owner_id}"


class Change(StrEnum):
    """What is different now; one fact may name several."""

    CREATED = "created"
    STATUS = "status"
    MESSAGES = "messages"
    """Rows were added at the end."""
    HISTORY = "history"
    """Rows were cut off: whoever shows them reads all again."""
    QUEUE = "queue"
    ERROR = "error"
    ACTION = "action"
    """The client's tools are asked for."""
    TITLE = "title"
    BINDING = "binding"
    """Another workspace, or another agent of it."""
    DIFF = "diff"
    SETTINGS = "settings"
    """Labels, pin, plan mode."""
    READ = "read"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"


class ChatChanged(Fact):
    """A chat is different now.

    ``snapshot_version`` orders facts of one chat: a turn forgets those that are not newer than its
    own lease. ``runner_id`` is whom the chat belongs to since.
    """

    chat_id: UUID
    owner_id: UUID
    changes: tuple[Change, ...]
    status: str
    snapshot_version: int
    history_version: int
    queue_version: int
    runner_id: UUID | None = None
    parent_chat_id: UUID | None = None
    runnable: bool = False
    origin: str = ""
    """Whose commit it was, where that one knows all about it already (``Database.origin``)."""

    @override
    def topics(self) -> tuple[str, ...]:
        own = (chat_topic(self.chat_id), owner_topic(self.owner_id))
        away = (AWAY,) if Change.ARCHIVED in self.changes else ()
        return (*own, *away, RUNNABLE) if self.runnable else (*own, *away)


class Runnable(Fact):
    """Somewhere a chat waits for a runner, for the workers of every replica."""

    chat_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (RUNNABLE,)


SPENDING = "chat-spending"


def spending_topic(owner_id: UUID) -> str:
    """Return the topic on which calls of a user's chats wait for each other's money."""
    return f"{SPENDING}:{owner_id}"


class CallSettled(Fact):
    """A call that held money back is over: whoever waits for it asks again."""

    owner_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (spending_topic(self.owner_id), SPENDING)


class PausesChanged(Fact):
    """Chats were stopped by an admin, or may go on: workers look again."""

    owner_id: UUID | None = None
    """None is everybody."""

    @override
    def topics(self) -> tuple[str, ...]:
        return (RUNNABLE,)
