"""Sub-agents: child chats that share the workspace."""

from server.tools.subagents.minding import (
    close_agent,
    interrupt_agent,
    list_agents,
    message_agent,
    wait_agent,
)
from server.tools.subagents.spawning import (
    spawn_agent,
    spawn_computer_use_agent,
    spawn_explore_agent,
)

__all__ = [
    "close_agent",
    "interrupt_agent",
    "list_agents",
    "message_agent",
    "spawn_agent",
    "spawn_computer_use_agent",
    "spawn_explore_agent",
    "wait_agent",
]
