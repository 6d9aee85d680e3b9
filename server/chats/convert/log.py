"""Messages of the log and of the queue, as clients see them."""

from collections.abc import Sequence

from coder_cli.sdk.chats.messages import (
    ChatMessage,
    ChatMessagesResponse,
    ChatMessageUsage,
    ChatQueuedMessage,
)
from coder_cli.sdk.chats.parts import ChatMessagePart
from server.chats.model import Message, QueuedMessage
from server.llm import CONTENT_VERSION, decode, public


def parts(content: object, version: int) -> list[ChatMessagePart]:
    """Return stored content without what is internal."""
    return [ChatMessagePart.model_validate(public(part)) for part in decode(content, version)]


def message(of: Message) -> ChatMessage:
    """Return a message of the log."""
    return ChatMessage.model_validate(
        {
            "id": of.id,
            "chat_id": of.chat_id,
            "created_by": of.created_by,
            "model_config_id": of.model_config_id,
            "created_at": of.created_at,
            "role": of.role.value,
            "content": parts(of.content, of.content_version),
            "usage": usage(of),
        }
    )


def usage(of: Message) -> ChatMessageUsage | None:
    """Return what is known of a message's tokens."""
    known = of.usage
    if known is None:
        return None
    return ChatMessageUsage(
        input_tokens=known.input_tokens,
        output_tokens=known.output_tokens,
        total_tokens=known.total_tokens,
        reasoning_tokens=known.reasoning_tokens,
        cache_creation_tokens=known.cache_creation_tokens,
        cache_read_tokens=known.cache_read_tokens,
        context_limit=known.context_limit,
    )


def queued(of: QueuedMessage) -> ChatQueuedMessage:
    """Return a message that waits."""
    return ChatQueuedMessage(
        id=of.id,
        chat_id=of.chat_id,
        content=parts(of.content, CONTENT_VERSION),
        model_config_id=of.model_config_id,
        reasoning_effort=of.reasoning_effort,
        created_by=of.created_by,
        position=of.position,
        created_at=of.created_at,
    )


def page(
    rows: Sequence[Message], waiting: Sequence[QueuedMessage], *, more: bool
) -> ChatMessagesResponse:
    """Return a page of the log."""
    return ChatMessagesResponse(
        messages=[message(row) for row in rows],
        queued_messages=[queued(one) for one in waiting],
        has_more=more,
    )
