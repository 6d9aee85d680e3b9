"""A chat on a loopback deployment: what it answers, and what its stream says."""

from dataclasses import dataclass, field
from typing import Any

from coder_cli.sdk.chats.chats import Chat, ChatError, ChatStatus
from coder_cli.sdk.chats.events import (
    ChatStreamActionRequired,
    ChatStreamEvent,
    ChatStreamMessagePart,
    ChatStreamRetry,
    ChatStreamStatus,
    ChatStreamToolCall,
)
from coder_cli.sdk.chats.messages import (
    ChatMessage,
    ChatMessageRole,
    ChatMessagesResponse,
    ChatQueuedMessage,
)
from coder_cli.sdk.chats.models import (
    ChatModel,
    ChatModelConfig,
    ChatModelProvider,
    ChatModelsResponse,
    ChatProviderConfig,
    ChatProviderConfigSource,
)
from coder_cli.sdk.chats.parts import ChatMessagePart
from tests.coder_cli import shapes
from tests.coder_cli.deployment import Call, Deployment

ID = "7a5e0000-0000-4000-8000-0000000000c1"
MODEL_ID = shapes.uid(900)


def chat(**changes: Any) -> Chat:
    """Return a chat of alice's."""
    told: dict[str, Any] = {
        "id": ID,
        "organization_id": shapes.ORGANIZATION.id,
        "owner_id": shapes.ALICE.id,
        "owner_username": "alice",
        "last_model_config_id": MODEL_ID,
        "title": "fix the failing test",
        "status": ChatStatus.RUNNING,
        "created_at": shapes.WHEN,
        "updated_at": shapes.WHEN,
    }
    return Chat.model_validate(told | changes)


def text(words: str) -> ChatMessagePart:
    return ChatMessagePart(type="text", text=words)


def call(name: str, args: object, key: str = "c1") -> ChatMessagePart:
    return ChatMessagePart(type="tool-call", tool_call_id=key, tool_name=name, args=args)


def result(name: str, told: object, key: str = "c1", *, error: bool = False) -> ChatMessagePart:
    return ChatMessagePart(
        type="tool-result", tool_call_id=key, tool_name=name, result=told, is_error=error
    )


def said(number: int, role: str, *parts: ChatMessagePart) -> ChatMessage:
    return ChatMessage(
        id=number,
        chat_id=chat().id,
        created_at=shapes.WHEN,
        role=ChatMessageRole(role),
        content=list(parts),
    )


def event(**what: Any) -> ChatStreamEvent:
    return ChatStreamEvent(chat_id=chat().id, **what)


def message(number: int, role: str, *parts: ChatMessagePart) -> ChatStreamEvent:
    return event(type="message", message=said(number, role, *parts))


def status(word: str) -> ChatStreamEvent:
    return event(type="status", status=ChatStreamStatus(status=ChatStatus(word)))


def piece(part: ChatMessagePart, seq: int | None, version: int = 1) -> ChatStreamEvent:
    told = ChatStreamMessagePart(part=part, history_version=version, generation_attempt=1, seq=seq)
    return event(type="message_part", message_part=told)


def words(*pieces: str, first: int = 0, version: int = 1) -> list[ChatStreamEvent]:
    """Return pieces of text, numbered."""
    return [piece(text(one), first + place, version) for place, one in enumerate(pieces)]


def retry(words: str) -> ChatStreamEvent:
    again = ChatStreamRetry(attempt=1, delay_ms=2000, error=words, retrying_at=shapes.WHEN)
    return event(type="retry", retry=again)


def wanted(name: str) -> ChatStreamEvent:
    calls = [ChatStreamToolCall(tool_call_id="c1", tool_name=name)]
    return event(type="action_required", action_required=ChatStreamActionRequired(tool_calls=calls))


def queued(number: int, words: str) -> ChatQueuedMessage:
    return ChatQueuedMessage(
        id=number, chat_id=chat().id, content=[text(words)], created_at=shapes.WHEN
    )


MODELS = ChatModelsResponse(
    providers=[
        ChatModelProvider(
            provider="scripted",
            available=True,
            models=[
                ChatModel(
                    id=MODEL_ID,
                    provider="scripted",
                    model="scripted",
                    display_name="Scripted (no model)",
                    is_default=True,
                    context_limit=200_000,
                )
            ],
        ),
        ChatModelProvider(
            provider="anthropic",
            available=False,
            unavailable_reason="missing_api_key",
            models=[
                ChatModel(id=shapes.uid(901), provider="anthropic", model="great", display_name="G")
            ],
        ),
    ]
)
CONFIG = ChatModelConfig(
    id=MODEL_ID,
    provider="scripted",
    model="scripted",
    display_name="Scripted (no model)",
    is_default=True,
    context_limit=200_000,
    compression_threshold=70,
    created_at=shapes.WHEN,
    updated_at=shapes.WHEN,
)
PROVIDERS = [
    ChatProviderConfig(
        id=shapes.uid(950), provider="anthropic", display_name="Anthropic", has_api_key=True
    ),
    ChatProviderConfig(
        id=shapes.uid(0), provider="openai", source=ChatProviderConfigSource.SUPPORTED
    ),
]


@dataclass(slots=True)
class FakeChat:
    """One chat: it ends as it is told to, and remembers what was asked of it."""

    deployment: Deployment
    end: Chat = field(default_factory=lambda: chat(status=ChatStatus.WAITING))
    """How it is when somebody asks after the turn."""
    log: list[ChatMessage] = field(default_factory=list[ChatMessage])
    queue: list[ChatQueuedMessage] = field(default_factory=list[ChatQueuedMessage])

    def __post_init__(self) -> None:
        on = self.deployment.on
        on("POST /chats", chat())
        on("GET /chats", lambda _: [self.end])
        on(f"GET /chats/{ID}", lambda _: self.end)
        on(f"GET /chats/{ID}/messages", self._page)
        on(f"POST /chats/{ID}/messages", lambda _: {"message": said(9, "user"), "queued": False})
        on(f"POST /chats/{ID}/interrupt", chat(status=ChatStatus.INTERRUPTING))
        on(f"PATCH /chats/{ID}", b"")
        on("GET /chats/models", MODELS)
        on("GET /chats/model-configs", [CONFIG])
        on("GET /chats/providers", PROVIDERS)

    def streams(self, *connections: list[Any]) -> None:
        """Play these frames, one list for each connection."""
        self.deployment.streams[f"/chats/{ID}/stream"] = list(connections)

    def ends(self, word: str, error: ChatError | None = None) -> None:
        """Stand like this when the turn is over."""
        self.end = chat(status=ChatStatus(word), last_error=error)

    def begins_after(self) -> list[str | None]:
        """Return where each connection of the stream began."""
        return [
            one.query.get("after_id") for one in self.deployment.called(f"WS /chats/{ID}/stream")
        ]

    def _page(self, call: Call) -> ChatMessagesResponse:
        after = int(call.query.get("after_id", 0))
        rows = [one for one in self.log if one.id > after]
        if "after_id" not in call.query:
            rows.reverse()
        limit = int(call.query.get("limit", 50))
        return ChatMessagesResponse(
            messages=rows[:limit], queued_messages=self.queue, has_more=len(rows) > limit
        )
