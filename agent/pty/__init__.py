"""Terminals that outlive their clients: port 2 of the agent. See README.md.

The engine is imported with the first client: an agent whose terminals nobody opens does not pay.
"""

from agent.pty.options import Command, NotReady, PtyOptions
from agent.pty.terminals import Terminals

__all__ = ["Command", "NotReady", "PtyOptions", "Terminals"]
