"""Changes in the git repositories that a chat works on, as the agent's HTTP API streams them."""

from dataclasses import dataclass
from typing import Final

WATCH: Final = "/api/v0/git/watch"
"""A WebSocket; ``?chat_id=`` names the chat."""
REFRESH: Final = "refresh"
SUBSCRIBE: Final = "subscribe"
"""Types of what the client sends; ``subscribe`` has absolute ``paths``."""
CHANGES: Final = "changes"
ERROR: Final = "error"
"""Types of what the agent sends."""
UNKNOWN_TYPE: Final = "unknown message type"
LARGEST_MESSAGE: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository as it is now. An empty branch is a detached HEAD."""

    repo_root: str
    branch: str = ""
    remote_origin: str = ""
    unified_diff: str = ""
    """What the work tree has beyond HEAD, files included that git does not know yet."""
    removed: bool = False
    """It is gone; nothing more will be told of it."""
