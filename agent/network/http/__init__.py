"""HTTP/1.1 over any stream of bytes: the agent's socket, and its API on port 4 of the relay.

How a room adds routes is told in ../README.md.
"""

from agent.network.http.conversation import PATIENCE, Conversation
from agent.network.http.front import Front
from agent.network.http.messages import (
    LARGEST_BODY,
    Answer,
    App,
    Content,
    Gone,
    Refusal,
    Reply,
    Request,
    Touched,
    Upgrade,
    nobody_asks,
)
from agent.network.http.table import Handler, Table

__all__ = [
    "LARGEST_BODY",
    "PATIENCE",
    "Answer",
    "App",
    "Content",
    "Conversation",
    "Front",
    "Gone",
    "Handler",
    "Refusal",
    "Reply",
    "Request",
    "Table",
    "Touched",
    "Upgrade",
    "nobody_asks",
]
