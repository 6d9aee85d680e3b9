"""The daemon: builds the rooms, runs them, and stops them in order. See ../README.md."""

from agent.daemon.agent import Agent
from agent.daemon.settings import Devcontainers, Settings

__all__ = ["Agent", "Devcontainers", "Settings"]
