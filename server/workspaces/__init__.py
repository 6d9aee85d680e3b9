"""Workspaces: a person's machine, its builds, and what they made. See README.md."""

from server.workspaces.events import BuildFinished, WorkspaceChanged
from server.workspaces.model import AgentIdentity
from server.workspaces.store import agent, agent_by_token

__all__ = [
    "AgentIdentity",
    "BuildFinished",
    "WorkspaceChanged",
    "agent",
    "agent_by_token",
]
