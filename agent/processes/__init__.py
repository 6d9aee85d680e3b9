"""Processes: what each is started with, and those that are run through the API. See README.md."""

from agent.processes.environment import Environment, NoManifest
from agent.processes.registry import Registry
from agent.processes.routes import ProcessRoutes
from agent.processes.shell import command_line, login_line, user_shell

__all__ = [
    "Environment",
    "NoManifest",
    "ProcessRoutes",
    "Registry",
    "command_line",
    "login_line",
    "user_shell",
]
