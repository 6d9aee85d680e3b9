"""What workspaces and builds are, and the rules that need no I/O."""

from coder_cli.kit.weekly import BadSchedule, parse_weekly
from server.workspaces.model.agent import AgentIdentity
from server.workspaces.model.build import Build, LastBuild, NewBuild, RunningBuild, Values
from server.workspaces.model.deadline import (
    AutostopRules,
    bumped_deadline,
    check_extension,
    check_ttl,
    started_deadline,
)
from server.workspaces.model.options import BuildOptions, WorkspaceRules
from server.workspaces.model.order import BuildOrder, WorkspaceOrder
from server.workspaces.model.search import Search, read_search
from server.workspaces.model.sharing import PortShare, ShareOrder, Sharer, Sharers, changed, exceeds
from server.workspaces.model.state import agent_tokens
from server.workspaces.model.status import STATUS, workspace_status
from server.workspaces.model.workspace import NewWorkspace, Workspace, session_token_name

__all__ = [
    "STATUS",
    "AgentIdentity",
    "AutostopRules",
    "BadSchedule",
    "Build",
    "BuildOptions",
    "BuildOrder",
    "LastBuild",
    "NewBuild",
    "NewWorkspace",
    "PortShare",
    "RunningBuild",
    "Search",
    "ShareOrder",
    "Sharer",
    "Sharers",
    "Values",
    "Workspace",
    "WorkspaceOrder",
    "WorkspaceRules",
    "agent_tokens",
    "bumped_deadline",
    "changed",
    "check_extension",
    "check_ttl",
    "exceeds",
    "parse_weekly",
    "read_search",
    "session_token_name",
    "started_deadline",
    "workspace_status",
]
