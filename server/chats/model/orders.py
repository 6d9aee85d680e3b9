"""What people ask of chats, as it came in: checked by the actions that do it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from server.chats.errors import BadDynamicTool, InvalidEffort
from server.llm import Json

LONGEST_SYSTEM_PROMPT = 10_000
"""Characters."""
MOST_DYNAMIC_TOOLS = 250
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Busy(StrEnum):
    """What to do with a message to a chat that works."""

    QUEUE = "queue"
    INTERRUPT = "interrupt"


@dataclass(frozen=True, slots=True)
class InputPart:
    """One part of a message as a client says it."""

    type: str
    text: str = ""
    file_id: UUID | None = None
    file_name: str = ""
    start_line: int = 0
    end_line: int = 0
    content: str = ""


@dataclass(frozen=True, slots=True)
class MessageOrder:
    """Something to say, or to say otherwise; None keeps what the chat has."""

    content: Sequence[InputPart]
    model_config_id: UUID | None = None
    reasoning_effort: str | None = None
    mcp_server_ids: Sequence[UUID] | None = None
    busy_behavior: str = ""
    plan_mode: str | None = None


@dataclass(frozen=True, slots=True)
class ClientTool:
    """A tool that the client runs itself."""

    name: str
    description: str
    input_schema: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ChatOrder:
    """A chat to be made, and its first message."""

    organization_id: UUID | None
    content: Sequence[InputPart]
    system_prompt: str = ""
    workspace_id: UUID | None = None
    model_config_id: UUID | None = None
    reasoning_effort: str | None = None
    mcp_server_ids: Sequence[UUID] = ()
    labels: Mapping[str, str] | None = None
    dynamic_tools: Sequence[ClientTool] = ()
    plan_mode: str = ""
    client_type: str = "api"


@dataclass(frozen=True, slots=True)
class GivenResult:
    """What a client's tool answered."""

    tool_call_id: str
    output: Json
    is_json: bool = True
    """False where the client gave no output at all."""
    is_error: bool = False


def check_effort(effort: str | None) -> str:
    """Return a reasoning effort that models may know; empty leaves it to the model.

    Raises:
        InvalidEffort: there is no such word.
    """
    if effort and effort not in EFFORTS:
        raise InvalidEffort(effort, EFFORTS)
    return effort or ""


def check_tools(tools: Sequence[ClientTool]) -> None:
    """Refuse tools of a client that cannot be offered to a model.

    Raises:
        BadDynamicTool: too many, nameless, or two of one name.
    """
    if len(tools) > MOST_DYNAMIC_TOOLS:
        most = f"A chat has {MOST_DYNAMIC_TOOLS} dynamic tools at most."
        raise BadDynamicTool("Too many dynamic tools.", detail=most)
    seen: set[str] = set()
    for place, tool in enumerate(tools):
        if not tool.name.strip():
            where = f"unsafe_dynamic_tools[{place}]"
            raise BadDynamicTool("Dynamic tool name must not be empty.", detail=where)
        if tool.name in seen:
            raise BadDynamicTool("Duplicate dynamic tool name.", detail=tool.name)
        seen.add(tool.name)
