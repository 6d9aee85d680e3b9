"""What a message is made of, as it is stored and shown: a closed union of frozen parts.

Source: reference, chats, section 1.5. The JSON of a part is flat and has a ``type``; ``codec``
reads and writes it. Fields in ``INTERNAL`` never leave the server.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class Role(StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a provider attached to a part and wants to see again: a signature, an encrypted text.

    Replayed to the same provider only; dropped for any other.
    """

    provider: str
    blob: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str
    created_at: datetime | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A block of thinking; its text may be empty where a provider shows only a signature."""

    text: str
    created_at: datetime | None = None
    completed_at: datetime | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to use a tool; ``args`` is the raw text, which need not be JSON."""

    id: str
    name: str
    args: str = "{}"
    provider_executed: bool = False
    parsed_commands: tuple[tuple[str, ...], ...] = ()
    mcp_server_config_id: UUID | None = None
    created_at: datetime | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered; ``is_media`` marks ``{data, mime_type, text, …}``."""

    id: str
    name: str
    result: Json
    is_error: bool = False
    is_media: bool = False
    provider_executed: bool = False
    mcp_server_config_id: UUID | None = None
    created_at: datetime | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A page that a provider's search cited; never replayed."""

    id: str
    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """An attached file: by id, or inline (base64) before it is stored."""

    media_type: str
    file_id: UUID | None = None
    data: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class FileReference:
    """Lines of a file that a person pointed at."""

    file_name: str
    start_line: int
    end_line: int
    content: str


@dataclass(frozen=True, slots=True)
class ContextFile:
    """An instruction file of a workspace, such as AGENTS.md; an empty path says: none was found."""

    path: str
    content: str = ""
    truncated: bool = False
    agent_id: UUID | None = None
    os: str = ""
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Skill:
    """A skill of a workspace, by name and description; its body is read on demand."""

    name: str
    description: str = ""
    dir: str = ""
    meta_file: str = ""
    agent_id: UUID | None = None


Part: TypeAlias = (
    Text | Reasoning | ToolCall | ToolResult | Source | File | FileReference | ContextFile | Skill
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt. ``provider`` is who wrote an assistant's, else empty."""

    role: Role
    parts: tuple[Part, ...]
    id: int = 0
    """The row it came from; 0 for what is not stored."""
    provider: str = ""
    model: str = ""
