"""Audit of boundaries: batches of accesses from the workspace's processes to the server's log."""

from agent.socket.boundary.counts import Counts
from agent.socket.boundary.proxy import BoundaryProxy

__all__ = ["BoundaryProxy", "Counts"]
