"""What chats and messages are, and the rules that need no I/O."""

from server.chats.model.chat import (
    ACTION_DEADLINE,
    Chat,
    Lease,
    moved,
    reconciled,
    released,
    stopped,
)
from server.chats.model.message import Message, MessagePage, NewMessage, QueuedMessage
from server.chats.model.states import MOVES, Move, State, Status, after, state_of, status_of

__all__ = [
    "ACTION_DEADLINE",
    "MOVES",
    "Chat",
    "Lease",
    "Message",
    "MessagePage",
    "Move",
    "NewMessage",
    "QueuedMessage",
    "State",
    "Status",
    "after",
    "moved",
    "reconciled",
    "released",
    "state_of",
    "status_of",
    "stopped",
]
