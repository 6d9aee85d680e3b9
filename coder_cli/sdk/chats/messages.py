"""Messages of chats: what was said, what waits to be said, and how to say something."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from coder_cli.sdk.chats.chats import PlanMode
from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.chats.parts import ChatInputPart, ChatMessagePart
from coder_cli.sdk.common import Request, Shape, Time


class ChatMessageRole(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class ChatMessageUsage(Shape):
    """Tokens of one call of a model; what is not known is absent."""

    input_tokens: Maybe[int] = None
    output_tokens: Maybe[int] = None
    total_tokens: Maybe[int] = None
    reasoning_tokens: Maybe[int] = None
    cache_creation_tokens: Maybe[int] = None
    cache_read_tokens: Maybe[int] = None
    context_limit: Maybe[int] = None


class ChatMessage(Shape):
    """One message. Ids rise over all chats; a chat's messages are in the order of their ids."""

    id: int
    chat_id: UUID
    created_by: Maybe[UUID] = None
    model_config_id: Maybe[UUID] = None
    created_at: Time
    role: ChatMessageRole
    content: list[ChatMessagePart] = []
    usage: Maybe[ChatMessageUsage] = None


class ChatQueuedMessage(Shape):
    """A message that waits until the turn before it is over."""

    id: int
    chat_id: UUID
    content: list[ChatMessagePart] = []
    model_config_id: Maybe[UUID] = None
    reasoning_effort: Filled[str] = ""
    created_by: Maybe[UUID] = None
    position: Maybe[int] = None
    created_at: Time


class ChatMessagesResponse(Shape):
    """A page of messages; the queue is told on the first page only, as `[]` elsewhere."""

    messages: list[ChatMessage] = []
    queued_messages: list[ChatQueuedMessage] = []
    has_more: bool = False


class ChatBusyBehavior(StrEnum):
    """What to do with a message to a chat that works."""

    QUEUE = "queue"
    INTERRUPT = "interrupt"


class CreateChatMessageRequest(Request):
    """Say something. ``busy_behavior`` is a `ChatBusyBehavior` (empty: queue), checked by the
    server; ``plan_mode`` null keeps it, empty ends it; ``mcp_server_ids`` null keeps them.
    """

    content: list[ChatInputPart] = []
    model_config_id: UUID | None = None
    reasoning_effort: str | None = None
    mcp_server_ids: list[UUID] | None = None
    busy_behavior: str = ""
    plan_mode: PlanMode | None = None


class CreateChatMessageResponse(Shape):
    """``message`` when it was taken at once, ``queued_message`` when it waits."""

    message: Maybe[ChatMessage] = None
    messages: Filled[list[ChatMessage]] = []
    queued_message: Maybe[ChatQueuedMessage] = None
    queued: bool = False
    warnings: Filled[list[str]] = []


class EditChatMessageRequest(Request):
    """Say it otherwise: what came after it goes. Without a model, that of the original stays."""

    content: list[ChatInputPart] = []
    model_config_id: UUID | None = None
    reasoning_effort: str | None = None


class EditChatMessageResponse(Shape):
    message: ChatMessage
    messages: Filled[list[ChatMessage]] = []
    deleted_message_ids: Filled[list[int]] = []
    warnings: Filled[list[str]] = []


class ChatToolResult(Request):
    """What a client's tool answered; ``output`` is any JSON."""

    tool_call_id: str = ""
    output: Any = None
    is_error: bool = False


class SubmitToolResultsRequest(Request):
    """Results of exactly the calls that are waited for."""

    results: list[ChatToolResult] = []


class ChatPrompt(Shape):
    """Something that the caller said in a chat before."""

    id: int
    text: str
    created_at: Maybe[Time] = None


class ChatPromptsResponse(Shape):
    """Newest first."""

    prompts: list[ChatPrompt] = []
