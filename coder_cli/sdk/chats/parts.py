"""What messages consist of: flat parts whose ``type`` says which of their fields matter."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.common import Request, Shape, Time


class ChatPartType(StrEnum):
    TEXT = "text"
    REASONING = "reasoning"
    TOOL_CALL = "tool-call"
    TOOL_RESULT = "tool-result"
    SOURCE = "source"
    FILE = "file"
    FILE_REFERENCE = "file-reference"
    CONTEXT_FILE = "context-file"
    SKILL = "skill"


class ChatMessagePart(Shape):
    """One part of a message, as it is served: what is internal to the server is not in it."""

    type: ChatPartType | str
    """Newer servers may have more types; whoever does not know one passes over it."""
    text: Maybe[str] = None
    """Of ``text`` and ``reasoning``; may be empty."""
    created_at: Maybe[Time] = None
    completed_at: Maybe[Time] = None
    """When a block of reasoning ended."""

    tool_call_id: Maybe[str] = None
    tool_name: Maybe[str] = None
    args: Maybe[Any] = None
    """A call's arguments as JSON; text where the model wrote something that is none."""
    args_delta: Maybe[str] = None
    """In a stream only."""
    parsed_commands: Filled[list[list[str]]] = []
    result: Maybe[Any] = None
    result_delta: Maybe[str] = None
    """In a stream only."""
    result_reset: Filled[bool] = False
    is_error: Filled[bool] = False
    is_media: Filled[bool] = False
    provider_executed: Filled[bool] = False
    mcp_server_config_id: Maybe[UUID] = None

    source_id: Maybe[str] = None
    url: Maybe[str] = None
    title: Maybe[str] = None

    media_type: Maybe[str] = None
    file_id: Maybe[UUID] = None
    data: Maybe[str] = None
    """Base64; absent where ``file_id`` says where the bytes are."""
    name: Maybe[str] = None

    file_name: Maybe[str] = None
    start_line: Maybe[int] = None
    end_line: Maybe[int] = None
    content: Maybe[str] = None

    context_file_path: Maybe[str] = None
    context_file_truncated: Filled[bool] = False
    context_file_agent_id: Maybe[UUID] = None

    skill_name: Maybe[str] = None
    skill_description: Maybe[str] = None


class ChatInputPart(Request):
    """What a client says: ``text``, ``file`` or ``file-reference``.

    The type is checked by the server, whose refusal names the part's index.
    """

    type: str = ""
    text: Filled[str] = ""
    file_id: Maybe[UUID] = None
    file_name: Filled[str] = ""
    start_line: Filled[int] = 0
    end_line: Filled[int] = 0
    content: Filled[str] = ""
