"""Where the line is, how it is kept, what may be said on it."""

from enum import IntEnum, StrEnum
from typing import Final

VERSION: Final = "2.0"
"""The newest version of the line; the ``version`` query parameter of the control WebSocket."""
TOKEN_HEADER: Final = "Coder-Session-Token"  # noqa: S105 — the name of a header, not a token
RPC_PATH: Final = "/api/v2/workspaceagents/me/rpc"
REINIT_PATH: Final = "/api/v2/workspaceagents/me/reinit"
STREAM_PATH: Final = "/api/v2/workspaceagents/me/streams/{stream_id}"
FRAME: Final = 256 * 1024
"""The most bytes one binary frame of a stream carries. An empty frame ends its direction."""
PING_EVERY: Final = 5.0
PONG_WITHIN: Final = 10.0
"""Both ends ping every ``PING_EVERY`` seconds and give the line up ``PONG_WITHIN`` later."""


class Port(IntEnum):
    """Ports of a stream that mean a service of the agent; from ``MINIMUM`` on they are TCP."""

    SSH = 1
    RECONNECTING_PTY = 2
    SPEEDTEST = 3
    HTTP_API = 4
    MINIMUM = 9
    SSH_STANDARD = 22


class StreamClose(IntEnum):
    """WebSocket close codes of a stream, beside 1000 for a normal end."""

    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    UNREACHABLE = 4404
    """Nothing listens at that port of the workspace, or there is no such agent."""


class Method(StrEnum):
    """What may be called; the first block by the agent, the second by the server."""

    MANIFEST = "manifest"
    STARTUP = "startup"
    LIFECYCLE = "lifecycle"
    LOGS = "logs"
    SCRIPT_COMPLETED = "script_completed"
    CONNECTION = "connection"
    STATS = "stats"
    METADATA = "metadata"
    APP_HEALTHS = "app_healths"
    BANNERS = "banners"
    APP_STATUS = "app_status"
    MONITORING = "resources_monitoring_configuration"
    USAGE = "push_resources_monitoring_usage"
    BOUNDARY_LOGS = "report_boundary_logs"
    CREATE_SUB_AGENT = "create_sub_agent"
    DELETE_SUB_AGENT = "delete_sub_agent"
    LIST_SUB_AGENTS = "list_sub_agents"

    OPEN = "open"
    PING = "ping"
