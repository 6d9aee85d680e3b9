"""What is said: params and results of every method. Durations are seconds."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from coder_cli.sdk.agentapi.codec import Json
from coder_cli.sdk.words import AgentLifecycle as LifecycleState
from coder_cli.sdk.words import AppHealth, LogLevel, ScriptStage, ScriptStatus
from coder_cli.sdk.words import AppSharingLevel as SharingLevel
from coder_cli.sdk.words import AppStatusState as AppState


class ConnectionAction(StrEnum):
    CONNECT = "connect"
    DISCONNECT = "disconnect"


class ConnectionType(StrEnum):
    SSH = "ssh"
    VSCODE = "vscode"
    JETBRAINS = "jetbrains"
    RECONNECTING_PTY = "reconnecting_pty"


@dataclass(frozen=True, slots=True)
class Script:
    """A ``coder_script`` as the agent runs it. ``timeout`` 0 means no limit."""

    id: UUID
    log_source_id: UUID
    script: str = field(repr=False)
    display_name: str = ""
    log_path: str = ""
    cron: str = ""
    run_on_start: bool = False
    run_on_stop: bool = False
    start_blocks_login: bool = False
    timeout: float = 0


@dataclass(frozen=True, slots=True)
class Healthcheck:
    url: str = field(default="", repr=False)
    interval: float = 0
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class App:
    id: UUID
    slug: str
    display_name: str = ""
    url: str = field(default="", repr=False)
    external: bool = False
    command: str = field(default="", repr=False)
    icon: str = ""
    subdomain: bool = False
    subdomain_name: str = ""
    sharing_level: SharingLevel = SharingLevel.OWNER
    healthcheck: Healthcheck = field(default_factory=Healthcheck)
    health: AppHealth = AppHealth.DISABLED
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class MetadataSource:
    key: str
    script: str = field(repr=False)
    display_name: str = ""
    interval: float = 0
    timeout: float = 0


@dataclass(frozen=True, slots=True)
class Devcontainer:
    id: UUID
    workspace_folder: str
    config_path: str = ""
    name: str = ""
    subagent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A user secret, given to processes as a variable, or written to a file."""

    value: str = field(repr=False)
    env_name: str = ""
    file_path: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that an agent must know about itself. May hold secrets: never log one."""

    agent_id: UUID
    workspace_id: UUID
    agent_name: str
    workspace_name: str
    owner_username: str
    directory: str = ""
    environment_variables: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    git_auth_configs: int = 0
    vs_code_port_proxy_uri: str = ""
    motd_path: str = ""
    disable_direct_connections: bool = False
    derp_force_websockets: bool = False
    derp_map: Json = None
    scripts: tuple[Script, ...] = field(default=(), repr=False)
    apps: tuple[App, ...] = ()
    metadata: tuple[MetadataSource, ...] = field(default=(), repr=False)
    devcontainers: tuple[Devcontainer, ...] = ()
    parent_id: UUID | None = None
    secrets: tuple[Secret, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Startup:
    """Who the agent is. ``host_key`` is the public line of its SSH server's key."""

    version: str
    expanded_directory: str = ""
    subsystems: tuple[str, ...] = ()
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    state: LifecycleState
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LogLine:
    created_at: datetime
    output: str
    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, slots=True)
class Logs:
    log_source_id: UUID
    logs: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class LogsStored:
    """The answer to ``logs``: when the limit is exceeded, the agent sends no more of them."""

    log_limit_exceeded: bool = False


@dataclass(frozen=True, slots=True)
class ScriptTiming:
    """One finished run of a script; the params of ``script_completed``."""

    script_id: UUID
    start: datetime
    end: datetime
    exit_code: int
    stage: ScriptStage
    status: ScriptStatus


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """Somebody came or went. Both reports of one session carry the same ``id``."""

    id: UUID
    action: ConnectionAction
    type: ConnectionType
    timestamp: datetime
    ip: str = "127.0.0.1"
    status_code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stats:
    """What went on since the last report. An empty one only asks for the interval."""

    connections_by_proto: dict[str, int] = field(default_factory=dict[str, int])
    connection_count: int = 0
    connection_median_latency_ms: float = 0
    rx_packets: int = 0
    rx_bytes: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    session_count_vscode: int = 0
    session_count_jetbrains: int = 0
    session_count_reconnecting_pty: int = 0
    session_count_ssh: int = 0


@dataclass(frozen=True, slots=True)
class StatsTaken:
    report_interval_ms: int


@dataclass(frozen=True, slots=True)
class MetadataResult:
    collected_at: datetime
    age: float = 0
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class MetadataValue:
    key: str
    result: MetadataResult


@dataclass(frozen=True, slots=True)
class MetadataUpdate:
    metadata: tuple[MetadataValue, ...]


@dataclass(frozen=True, slots=True)
class AppHealthUpdate:
    id: UUID
    health: AppHealth


@dataclass(frozen=True, slots=True)
class AppHealths:
    updates: tuple[AppHealthUpdate, ...]


@dataclass(frozen=True, slots=True)
class AppStatus:
    app_slug: str
    state: AppState
    message: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    enabled: bool = False
    message: str = ""
    background_color: str = ""


@dataclass(frozen=True, slots=True)
class Banners:
    banners: tuple[Banner, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Ask the agent to dial back a stream and join it to ``port``."""

    stream_id: str
    port: int


@dataclass(frozen=True, slots=True)
class Empty:
    """Params or result of a method that needs none."""
