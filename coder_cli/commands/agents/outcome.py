"""How a turn ended, and the exit code that says so to a script."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from coder_cli.commands.agents.toolwords import WANTS_INPUT

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.chats.messages import ChatMessage

_LIMIT = "usage_limit"
_OVER = frozenset({"waiting", "error", "requires_action", "paused", "completed"})


class Ending(IntEnum):
    """How a turn ended, by its exit code."""

    FINISHED = 0
    ERROR = 1
    NEEDS_INPUT = 3
    LIMIT_REACHED = 4
    INTERRUPTED = 130


@dataclass(slots=True)
class Outcome:
    """What is left of a turn: the chat as it is then, and what was said meanwhile."""

    ending: Ending
    chat: "Chat"
    messages: "list[ChatMessage]" = field(default_factory=list["ChatMessage"])

    @property
    def text(self) -> str:
        """The last words of the agent."""
        return next((words for one in reversed(self.messages) if (words := text_of(one))), "")


def is_over(status: str) -> bool:
    """Say whether a chat in this status does nothing until somebody says something."""
    return status in _OVER


def ending_of(chat: "Chat", messages: "list[ChatMessage]", *, interrupted: bool) -> Ending:
    """Return how a turn ended whose chat is no longer at work."""
    if interrupted:
        return Ending.INTERRUPTED
    if chat.status == "error":
        limited = chat.last_error is not None and chat.last_error.kind == _LIMIT
        return Ending.LIMIT_REACHED if limited else Ending.ERROR
    if chat.status == "requires_action" or open_questions(messages):
        return Ending.NEEDS_INPUT
    return Ending.FINISHED


def open_questions(messages: "list[ChatMessage]") -> "list[tuple[str, object]]":
    """Return the tools that wait for a person, and what they say: those of the last step."""
    refused = {
        part.tool_call_id
        for message in messages
        for part in message.content
        if part.type == "tool-result" and part.is_error
    }
    last = next((one for one in reversed(messages) if one.role in {"assistant", "user"}), None)
    if last is None or last.role == "user":
        return []
    return [
        (part.tool_name or "", part.args)
        for part in last.content
        if part.type == "tool-call"
        and part.tool_name in WANTS_INPUT
        and part.tool_call_id not in refused
    ]


def text_of(message: "ChatMessage") -> str:
    """Return what an assistant's message says in words."""
    if message.role != "assistant":
        return ""
    return "".join(part.text or "" for part in message.content if part.type == "text")
