"""Live events: of one chat (``/stream``), and of all that a user may see (``/watch``)."""

from enum import StrEnum
from uuid import UUID

from coder_cli.sdk.chats.chats import Chat, ChatError, ChatStatus
from coder_cli.sdk.chats.messages import ChatMessage, ChatMessageRole, ChatQueuedMessage
from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.chats.parts import ChatMessagePart
from coder_cli.sdk.common import Shape, Time


class ChatStreamEventType(StrEnum):
    MESSAGE = "message"
    MESSAGE_PART = "message_part"
    STATUS = "status"
    ERROR = "error"
    QUEUE_UPDATE = "queue_update"
    RETRY = "retry"
    ACTION_REQUIRED = "action_required"
    PREVIEW_RESET = "preview_reset"
    HISTORY_RESET = "history_reset"


class ChatStreamMessagePart(Shape):
    """A piece of what is being said now; the message that holds it comes when its step is stored.

    ``seq`` counts pieces within one attempt of one step.
    """

    role: ChatMessageRole = ChatMessageRole.ASSISTANT
    part: ChatMessagePart
    history_version: Maybe[int] = None
    generation_attempt: Maybe[int] = None
    seq: Maybe[int] = None


class ChatStreamStatus(Shape):
    status: ChatStatus


class ChatStreamRetry(Shape):
    """A call of the model failed and is made again; what it said so far is void."""

    attempt: int
    delay_ms: int
    error: str
    kind: Filled[str] = ""
    provider: Filled[str] = ""
    status_code: Filled[int] = 0
    retrying_at: Time


class ChatStreamToolCall(Shape):
    """A call that a client answers; ``args`` is JSON in a string."""

    tool_call_id: str
    tool_name: str
    args: str = "{}"


class ChatStreamActionRequired(Shape):
    tool_calls: list[ChatStreamToolCall] = []


class ChatStreamEvent(Shape):
    """One event of a chat; the field named like its type holds what happened."""

    type: ChatStreamEventType | str
    """Newer servers may have more; whoever does not know one passes over it."""
    chat_id: UUID
    message: Maybe[ChatMessage] = None
    message_part: Maybe[ChatStreamMessagePart] = None
    status: Maybe[ChatStreamStatus] = None
    error: Maybe[ChatError] = None
    queued_messages: Maybe[list[ChatQueuedMessage]] = None
    """Of ``queue_update``: the whole queue, which may be empty."""
    retry: Maybe[ChatStreamRetry] = None
    action_required: Maybe[ChatStreamActionRequired] = None


MAX_BATCH = 256
"""Events in one frame of a stream, which is a JSON array of them."""


class ChatWatchEventKind(StrEnum):
    CREATED = "created"
    STATUS_CHANGE = "status_change"
    TITLE_CHANGE = "title_change"
    SUMMARY_CHANGE = "summary_change"
    CHAT_SUMMARY_CHANGE = "chat_summary_change"
    DELETED = "deleted"
    DIFF_STATUS_CHANGE = "diff_status_change"
    ACTION_REQUIRED = "action_required"
    CONTEXT_DIRTY = "context_dirty"


class ChatWatchEvent(Shape):
    """Something happened to a chat of the watcher. One event in each frame."""

    kind: ChatWatchEventKind | str
    chat: Chat
    tool_calls: Filled[list[ChatStreamToolCall]] = []
