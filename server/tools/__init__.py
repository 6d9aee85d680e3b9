"""Tools: what a model may do with a person's rights, in workspaces and in chats. See README.md."""

from server.tools.closing import close_chat
from server.tools.context.discover import workspace_context
from server.tools.found import Found
from server.tools.link import WorkspaceLink
from server.tools.link import choose as choose_agent
from server.tools.means import Means, Patience
from server.tools.paths import plan_path, plan_path_under
from server.tools.ports import (
    Binding,
    ChatFacts,
    ChatPort,
    Child,
    ChildOrder,
    StoredFile,
)
from server.tools.sentences import NoAgent
from server.tools.shell import parsed_commands
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
    "NoAgent",
    "Patience",
    "StoredFile",
    "WorkspaceLink",
    "choose_agent",
    "close_chat",
    "offers_web_search",
    "parsed_commands",
    "plan_path",
    "plan_path_under",
    "toolbox",
    "workspace_context",
]
