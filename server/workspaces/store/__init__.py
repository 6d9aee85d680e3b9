"""SQL of workspaces and builds, by what is asked."""

from server.workspaces.store.agents import agent, agent_by_token

__all__ = ["agent", "agent_by_token"]
