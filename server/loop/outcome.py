"""How a turn ends."""

from dataclasses import dataclass
from typing import TypeAlias

from server.llm import ModelError, ToolCall


@dataclass(frozen=True, slots=True)
class Done:
    """The model has said its last word, or a tool ended the turn.

    Args:
        text: the last words of the answer, for a report or a notification.
    """

    text: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """The client must execute these calls; their results begin the next turn."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody stopped the turn; what had come by then is stored."""

    cause: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The model cannot be asked: retries are over, or would not help."""

    error: ModelError


@dataclass(frozen=True, slots=True)
class Limited:
    """No money is left; the message says how much there was."""

    message: str


Outcome: TypeAlias = Done | Parked | Stopped | Failed | Limited
