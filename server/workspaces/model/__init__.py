"""What workspaces and builds are, and the rules that need no I/O."""

from server.workspaces.model.agent import AgentIdentity

__all__ = ["AgentIdentity"]
