"""The socket: what programs of the workspace ask their agent. See README.md."""

from agent.socket.server import Socket

__all__ = ["Socket"]
