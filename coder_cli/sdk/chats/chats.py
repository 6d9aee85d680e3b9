"""Chats: a conversation with a model as lists and pages show it, and what asks for one."""

from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from coder_cli.sdk.chats.diffs import ChatDiffStatus
from coder_cli.sdk.chats.files import ChatFileMetadata
from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.chats.parts import ChatInputPart
from coder_cli.sdk.common import Request, Shape, Time


class ChatStatus(StrEnum):
    """What a chat does now, in the words of both eras.

    ``pending`` is a running chat that no worker has taken yet. ``paused`` and ``completed`` are
    never set by this server.
    """

    WAITING = "waiting"
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    ERROR = "error"
    REQUIRES_ACTION = "requires_action"
    INTERRUPTING = "interrupting"


class ChatMode(StrEnum):
    COMPUTER_USE = "computer_use"
    EXPLORE = "explore"
    ORCHESTRATOR = "orchestrator"


class ChatClientType(StrEnum):
    UI = "ui"
    API = "api"


PlanMode = Literal["", "plan"]


class ChatErrorKind(StrEnum):
    GENERIC = "generic"
    OVERLOADED = "overloaded"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    STARTUP_TIMEOUT = "startup_timeout"
    STREAM_SILENCE_TIMEOUT = "stream_silence_timeout"
    AUTH = "auth"
    CONFIG = "config"
    USAGE_LIMIT = "usage_limit"
    MISSING_KEY = "missing_key"
    PROVIDER_DISABLED = "provider_disabled"
    CONTENT_FILTER = "content_filter"


class ChatError(Shape):
    """Why a turn failed. ``kind`` is one of `ChatErrorKind`, or newer."""

    message: str
    detail: Filled[str] = ""
    kind: Filled[str] = ""
    provider: Filled[str] = ""
    retryable: bool = False
    status_code: Filled[int] = 0


class ChatContextTool(Shape):
    name: str
    description: Filled[str] = ""


class ChatContextResource(Shape):
    source: str
    kind: Literal["instruction_file", "skill", "mcp_config", "mcp_server"]
    size_bytes: int = 0
    skill_name: Filled[str] = ""
    skill_description: Filled[str] = ""
    tools: Filled[list[ChatContextTool]] = []
    status: Literal["ok", "oversize", "unreadable", "invalid", "excluded"] = "ok"
    error: Filled[str] = ""


class ChatContext(Shape):
    """What a chat knows of its workspace, and whether the workspace has newer."""

    dirty: bool = False
    dirty_since: Maybe[Time] = None
    error: Filled[str] = ""
    resources: Filled[list[ChatContextResource]] = []


class Chat(Shape):
    """A chat. In events of the watch most fields may be zero: merge what the kind is about."""

    id: UUID
    organization_id: UUID
    owner_id: UUID
    owner_username: Filled[str] = ""
    owner_name: Filled[str] = ""
    workspace_id: Maybe[UUID] = None
    build_id: Maybe[UUID] = None
    agent_id: Maybe[UUID] = None
    parent_chat_id: Maybe[UUID] = None
    root_chat_id: Maybe[UUID] = None
    last_model_config_id: UUID
    last_reasoning_effort: Filled[str] = ""
    title: str
    status: ChatStatus
    mode: Maybe[ChatMode] = None
    plan_mode: Filled[PlanMode] = ""
    last_error: Maybe[ChatError] = None
    last_turn_summary: Maybe[str] = None
    summary: Maybe[str] = None
    diff_status: Maybe[ChatDiffStatus] = None
    created_at: Time
    updated_at: Time
    archived: bool = False
    shared: bool = False
    pin_order: int = 0
    mcp_server_ids: list[UUID] = []
    labels: dict[str, str] = {}
    files: Maybe[list[ChatFileMetadata]] = None
    """On one chat that is asked for; nowhere else."""
    has_unread: bool = False
    context: Maybe[ChatContext] = None
    queued_for_capacity: Maybe[bool] = None
    warnings: Filled[list[str]] = []
    """In answers to changes only."""
    client_type: ChatClientType = ChatClientType.API
    children: list["Chat"] = []
    """Sub-agents of a root, nested once; always empty for a sub-agent."""


class DynamicTool(Request):
    """A tool that the client runs itself; calls of it park the chat in ``requires_action``."""

    name: str = ""
    description: str = ""
    input_schema: dict[str, Any] = {}


class CreateChatRequest(Request):
    """A new chat and its first message, which starts at once.

    Checked by the server, whose refusals have the words of the reference (section 2.1.2).
    """

    organization_id: UUID | None = None
    content: list[ChatInputPart] = []
    system_prompt: str = ""
    workspace_id: UUID | None = None
    model_config_id: UUID | None = None
    reasoning_effort: str | None = None
    mcp_server_ids: list[UUID] | None = None
    labels: dict[str, str] = {}
    unsafe_dynamic_tools: list[DynamicTool] = []
    plan_mode: PlanMode = ""
    client_type: ChatClientType | Literal[""] = ""


class UpdateChatRequest(Request):
    """A change of a chat: what is not given stays. ``labels`` replaces the whole set."""

    title: str | None = None
    archived: bool | None = None
    workspace_id: UUID | None = None
    pin_order: int | None = None
    labels: dict[str, str] | None = None
    plan_mode: PlanMode | None = None


class ProposeChatTitleResponse(Shape):
    title: str
