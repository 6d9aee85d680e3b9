"""Containers: those of the workspace, and its dev containers. See README.md."""

from agent.containers.cli import Cli
from agent.containers.docker import Docker
from agent.containers.known import Definition
from agent.containers.routes import ContainerRoutes, no_containers
from agent.containers.subagents import SubAgents
from agent.containers.tools import Tools
from agent.containers.yard import Options, Yard

__all__ = [
    "Cli",
    "ContainerRoutes",
    "Definition",
    "Docker",
    "Options",
    "SubAgents",
    "Tools",
    "Yard",
    "no_containers",
]
