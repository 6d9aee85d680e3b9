"""Instructions and skills that somebody in a workspace adds to a chat, with the agent's token."""

from uuid import UUID

from coder_cli.sdk.chats.omitted import Filled
from coder_cli.sdk.common import Request, Shape

LARGEST_FILE = 64 * 1024
"""Bytes of one file; what is longer is cut, and says so."""
LARGEST_ALL = 2 * 1024 * 1024
MOST_PARTS = 500
PATH = "/workspaceagents/me/experimental/chat-context"


class ChatContextPart(Request):
    """An instruction file (``context-file``), or a skill by name and place (``skill``)."""

    type: str = ""
    context_file_path: Filled[str] = ""
    context_file_content: Filled[str] = ""
    context_file_truncated: Filled[bool] = False
    context_file_os: Filled[str] = ""
    context_file_directory: Filled[str] = ""
    skill_name: Filled[str] = ""
    skill_description: Filled[str] = ""
    skill_dir: Filled[str] = ""
    context_file_skill_meta_file: Filled[str] = ""


class AddChatContextRequest(Request):
    """What is to be added to a chat of the agent's workspace."""

    chat_id: UUID
    parts: list[ChatContextPart] = []


class ClearChatContextRequest(Request):
    chat_id: UUID


class ChatContextResponse(Shape):
    """How many parts were added, or how many messages with such parts were removed."""

    chat_id: UUID
    count: int = 0
