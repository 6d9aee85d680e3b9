"""Workspaces: a person's machine, its builds, and what they made. See README.md."""

from server.workspaces.actions.find import workspace
from server.workspaces.actions.standing import begin, make, standing, uses
from server.workspaces.actions.timetable import use, use_all
from server.workspaces.events import (
    BuildFinished,
    PrebuildClaimed,
    WorkspaceChanged,
    claim_topic,
    topic,
)
from server.workspaces.model import (
    AgentIdentity,
    BuildOptions,
    BuildOrder,
    Workspace,
    WorkspaceOrder,
    WorkspaceRules,
)
from server.workspaces.model.standing import Standing, StandingAgent, TemplateUse
from server.workspaces.routes import routes
from server.workspaces.store.agents import agent, agent_by_token
from server.workspaces.worker import BuildKind

__all__ = [
    "AgentIdentity",
    "BuildFinished",
    "BuildKind",
    "BuildOptions",
    "BuildOrder",
    "PrebuildClaimed",
    "Standing",
    "StandingAgent",
    "TemplateUse",
    "Workspace",
    "WorkspaceChanged",
    "WorkspaceOrder",
    "WorkspaceRules",
    "agent",
    "agent_by_token",
    "begin",
    "claim_topic",
    "make",
    "routes",
    "standing",
    "topic",
    "use",
    "use_all",
    "uses",
    "workspace",
]
