"""Wire shapes of chats: nothing to say is no field, and what was said comes back."""

from decimal import Decimal

import pytest
from pydantic import BaseModel

from coder_cli.sdk.chats.chats import Chat, ChatError, ChatStatus, CreateChatRequest
from coder_cli.sdk.chats.diffs import ChatDiffStatus, PullRequestState
from coder_cli.sdk.chats.events import (
    ChatStreamEvent,
    ChatStreamMessagePart,
    ChatStreamRetry,
    ChatStreamStatus,
    ChatWatchEvent,
)
from coder_cli.sdk.chats.limits import ChatCostSummary, ChatUsageLimitExceeded
from coder_cli.sdk.chats.messages import (
    ChatMessage,
    ChatMessageRole,
    ChatMessagesResponse,
    ChatMessageUsage,
)
from coder_cli.sdk.chats.models import ChatModelConfig, ChatProviderConfig
from coder_cli.sdk.chats.options import (
    AnthropicOptions,
    AnthropicThinking,
    ChatModelCallConfig,
    ChatModelCost,
    ChatModelProviderOptions,
    VercelOptions,
    VercelProvider,
)
from coder_cli.sdk.chats.parts import ChatInputPart, ChatMessagePart
from tests.coder_cli import shapes

CHAT = Chat(
    id=shapes.uid(70),
    organization_id=shapes.uid(71),
    owner_id=shapes.uid(72),
    last_model_config_id=shapes.uid(73),
    title="Fix the test",
    status=ChatStatus.RUNNING,
    created_at=shapes.WHEN,
    updated_at=shapes.WHEN,
)
MESSAGE = ChatMessage(
    id=41,
    chat_id=CHAT.id,
    created_at=shapes.WHEN,
    role=ChatMessageRole.ASSISTANT,
    content=[
        ChatMessagePart(type="reasoning", text="", created_at=shapes.WHEN),
        ChatMessagePart(type="text", text="Hello"),
        ChatMessagePart(
            type="tool-call", tool_call_id="c1", tool_name="execute", args={"command": "ls"}
        ),
    ],
    usage=ChatMessageUsage(input_tokens=3, output_tokens=0),
)
MODEL = ChatModelConfig(
    id=shapes.uid(73),
    provider="anthropic",
    model="some-model",
    context_limit=200_000,
    compression_threshold=70,
    options=ChatModelCallConfig(
        cost=ChatModelCost(input_price_per_million_tokens=Decimal("0.25")),
        provider_options=ChatModelProviderOptions(
            anthropic=AnthropicOptions(thinking=AnthropicThinking(budget_tokens=1024)),
            vercel=VercelOptions(provider_options=VercelProvider(order=["a"])),
        ),
    ),
    created_at=shapes.WHEN,
    updated_at=shapes.WHEN,
)


@pytest.mark.parametrize(
    "shape",
    [
        CHAT,
        CHAT.model_copy(
            update={
                "last_error": ChatError(message="No.", kind="auth"),
                "diff_status": ChatDiffStatus(
                    chat_id=CHAT.id, pull_request_state=PullRequestState.OPEN
                ),
                "children": [CHAT.model_copy(update={"parent_chat_id": CHAT.id})],
            }
        ),
        MESSAGE,
        MODEL,
        ChatMessagesResponse(messages=[MESSAGE]),
        ChatProviderConfig(id=shapes.uid(1), provider="openai"),
        ChatUsageLimitExceeded(
            message="Chat usage limit exceeded.",
            spent_micros=2,
            limit_micros=1,
            resets_at=shapes.WHEN,
        ),
        ChatCostSummary(start_date=shapes.WHEN, end_date=shapes.WHEN, total_cost_micros=5),
        ChatStreamEvent(type="message", chat_id=CHAT.id, message=MESSAGE),
        ChatStreamEvent(
            type="retry",
            chat_id=CHAT.id,
            retry=ChatStreamRetry(attempt=1, delay_ms=500, error="x", retrying_at=shapes.WHEN),
        ),
        ChatWatchEvent(kind="created", chat=CHAT),
        CreateChatRequest(
            organization_id=CHAT.organization_id, content=[ChatInputPart(type="text", text="hi")]
        ),
    ],
    ids=lambda shape: type(shape).__name__,
)
def test_shapes_survive_the_wire(shape: BaseModel) -> None:
    assert type(shape).model_validate_json(shape.model_dump_json()) == shape


def test_a_chat_says_nothing_of_what_it_has_not() -> None:
    sent = CHAT.model_dump(mode="json")
    absent = {"workspace_id", "parent_chat_id", "plan_mode", "last_error", "files", "warnings"}
    assert not absent & set(sent)
    assert sent["mcp_server_ids"] == []
    assert sent["labels"] == {}
    assert sent["children"] == []
    assert sent["client_type"] == "api"
    assert sent["pin_order"] == 0


def test_a_part_has_the_fields_of_its_type_only() -> None:
    reasoning, text, call = MESSAGE.model_dump(mode="json")["content"]
    assert set(reasoning) == {"type", "text", "created_at"}
    assert text == {"type": "text", "text": "Hello"}
    assert set(call) == {"type", "tool_call_id", "tool_name", "args"}
    assert MESSAGE.model_dump(mode="json")["usage"] == {"input_tokens": 3, "output_tokens": 0}


def test_the_options_of_a_model_are_named_as_on_the_wire() -> None:
    sent = MODEL.model_dump(mode="json")
    assert sent["model_config"] == {
        "cost": {"input_price_per_million_tokens": "0.25"},
        "provider_options": {
            "anthropic": {"thinking": {"budget_tokens": 1024}},
            "vercel": {"providerOptions": {"order": ["a"]}},
        },
    }


def test_an_event_holds_what_its_type_names() -> None:
    status = ChatStreamEvent(
        type="status", chat_id=CHAT.id, status=ChatStreamStatus(status=ChatStatus.WAITING)
    )
    assert set(status.model_dump(mode="json")) == {"type", "chat_id", "status"}
    empty = ChatStreamEvent(type="queue_update", chat_id=CHAT.id, queued_messages=[])
    assert empty.model_dump(mode="json")["queued_messages"] == []
    part = ChatStreamEvent(
        type="message_part",
        chat_id=CHAT.id,
        message_part=ChatStreamMessagePart(part=ChatMessagePart(type="text", text="He"), seq=0),
    )
    assert part.model_dump(mode="json")["message_part"] == {
        "role": "assistant",
        "part": {"type": "text", "text": "He"},
        "seq": 0,
    }


def test_a_type_from_tomorrow_is_read() -> None:
    read = ChatStreamEvent.model_validate({"type": "new_thing", "chat_id": str(CHAT.id)})
    assert read.type == "new_thing"
    assert ChatMessagePart.model_validate({"type": "hook-notice", "text": "x"}).text == "x"
