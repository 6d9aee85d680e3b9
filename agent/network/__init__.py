"""Network: reach the server, and carry byte streams over WebSockets. See README.md."""

from agent.network.asking import Answered, NoAnswer, asked
from agent.network.dial import Dialer, Refused, Unreachable
from agent.network.frames import Frames
from agent.network.tcp import NobodyListens, connect_local, join_tcp
from agent.network.traffic import Counted, Traffic
from agent.network.transport import serve_protocol

__all__ = [
    "Answered",
    "Counted",
    "Dialer",
    "Frames",
    "NoAnswer",
    "NobodyListens",
    "Refused",
    "Traffic",
    "Unreachable",
    "asked",
    "connect_local",
    "join_tcp",
    "serve_protocol",
]
