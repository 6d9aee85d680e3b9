"""The socket: what programs of the workspace ask their agent. See README.md."""

from agent.socket.boundary import BoundaryProxy
from agent.socket.server import Socket

__all__ = ["BoundaryProxy", "Socket"]
