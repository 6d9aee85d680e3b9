"""The chat's workspace: find a template, make one of it, start and stop it."""

from server.tools.workspaces.creating import create_workspace
from server.tools.workspaces.running import start_workspace, stop_workspace
from server.tools.workspaces.templates import list_templates, read_template

__all__ = [
    "create_workspace",
    "list_templates",
    "read_template",
    "start_workspace",
    "stop_workspace",
]
