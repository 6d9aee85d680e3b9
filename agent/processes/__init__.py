"""Processes: what every process of the workspace is started with. See README.md."""

from agent.processes.environment import Environment, NoManifest
from agent.processes.shell import command_line, login_line, user_shell

__all__ = ["Environment", "NoManifest", "command_line", "login_line", "user_shell"]
