"""Network: reach the server, and carry byte streams over WebSockets. See README.md."""

from agent.network.dial import Dialer, Refused, Unreachable
from agent.network.frames import Frames
from agent.network.tcp import NobodyListens, connect_local, join_tcp
from agent.network.traffic import Counted, Traffic
from agent.network.transport import serve_protocol

__all__ = [
    "Counted",
    "Dialer",
    "Frames",
    "NobodyListens",
    "Refused",
    "Traffic",
    "Unreachable",
    "connect_local",
    "join_tcp",
    "serve_protocol",
]
