"""Tools: what a model may do with a person's rights, in workspaces and in chats. See README.md."""

from server.tools.context.discover import workspace_context
from server.tools.found import Found, known_agents
from server.tools.link import WorkspaceLink
from server.tools.means import Means, Patience
from server.tools.ports import (
    Binding,
    ChatFacts,
    ChatPort,
    Child,
    ChildOrder,
    StoredFile,
)
from server.tools.toolbox import Extras, offers_web_search, toolbox

__all__ = [
    "Binding",
    "ChatFacts",
    "ChatPort",
    "Child",
    "ChildOrder",
    "Extras",
    "Found",
    "Means",
    "Patience",
    "StoredFile",
    "WorkspaceLink",
    "known_agents",
    "offers_web_search",
    "toolbox",
    "workspace_context",
]
