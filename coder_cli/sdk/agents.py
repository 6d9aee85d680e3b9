"""What a template puts into a workspace: agents, their apps, scripts and logs."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.common import Request, Shape, Time
from coder_cli.sdk.words import (
    AgentLifecycle,
    AppHealth,
    AppSharingLevel,
    AppStatusState,
    LogLevel,
)


class AgentStatus(StrEnum):
    """The line to an agent, as the server sees it."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    TIMEOUT = "timeout"


class AgentSubsystem(StrEnum):
    ENVBOX = "envbox"
    ENVBUILDER = "envbuilder"
    EXECTRACE = "exectrace"


class StartupScriptBehavior(StrEnum):
    BLOCKING = "blocking"
    NON_BLOCKING = "non-blocking"


class DisplayApp(StrEnum):
    VSCODE = "vscode"
    VSCODE_INSIDERS = "vscode_insiders"
    WEB_TERMINAL = "web_terminal"
    SSH_HELPER = "ssh_helper"
    PORT_FORWARDING_HELPER = "port_forwarding_helper"


class AppOpenIn(StrEnum):
    SLIM_WINDOW = "slim-window"
    TAB = "tab"


class ConnectionType(StrEnum):
    SSH = "ssh"
    VSCODE = "vscode"
    JETBRAINS = "jetbrains"
    RECONNECTING_PTY = "reconnecting_pty"
    WORKSPACE_APP = "workspace_app"
    PORT_FORWARDING = "port_forwarding"


class Healthcheck(Shape):
    url: str = ""
    interval: int = 0
    threshold: int = 0


class WorkspaceAppStatus(Shape):
    id: UUID
    created_at: Time
    workspace_id: UUID
    agent_id: UUID
    app_id: UUID
    state: AppStatusState
    message: str = ""
    uri: str = ""
    needs_user_attention: bool = False
    icon: str = ""


class WorkspaceApp(Shape):
    id: UUID
    url: str = ""
    external: bool = False
    slug: str
    display_name: str = ""
    command: str = ""
    icon: str = ""
    subdomain: bool = False
    subdomain_name: str = ""
    sharing_level: AppSharingLevel = AppSharingLevel.OWNER
    healthcheck: Healthcheck = Field(default_factory=Healthcheck)
    health: AppHealth = AppHealth.DISABLED
    group: str = ""
    hidden: bool = False
    open_in: AppOpenIn = AppOpenIn.SLIM_WINDOW
    tooltip: str = ""
    statuses: list[WorkspaceAppStatus] = []


class WorkspaceAgentLogSource(Shape):
    id: UUID
    workspace_agent_id: UUID
    created_at: Time
    display_name: str
    icon: str = ""


class WorkspaceAgentScript(Shape):
    id: UUID
    log_source_id: UUID
    log_path: str = ""
    script: str = ""
    cron: str = ""
    run_on_start: bool = False
    run_on_stop: bool = False
    start_blocks_login: bool = False
    timeout: int = 0
    """In nanoseconds, as upstream's JSON has it; 0 waits for ever."""
    display_name: str = ""


class WorkspaceAgentLog(Shape):
    id: int
    created_at: Time
    output: str
    level: LogLevel
    source_id: UUID


class WorkspaceAgentHealth(Shape):
    healthy: bool = True
    reason: str = ""


class DERPRegionLatency(Shape):
    preferred: bool = False
    latency_ms: float


class WorkspaceAgent(Shape):
    id: UUID
    parent_id: UUID | None = None
    created_at: Time
    updated_at: Time
    first_connected_at: Time | None = None
    last_connected_at: Time | None = None
    disconnected_at: Time | None = None
    started_at: Time | None = None
    ready_at: Time | None = None
    status: AgentStatus
    lifecycle_state: AgentLifecycle
    name: str
    resource_id: UUID
    instance_id: str = ""
    architecture: str = ""
    environment_variables: dict[str, str] = {}
    operating_system: str = ""
    logs_length: int = 0
    logs_overflowed: bool = False
    directory: str = ""
    expanded_directory: str = ""
    version: str = ""
    api_version: str = ""
    apps: list[WorkspaceApp] = []
    latency: dict[str, DERPRegionLatency] = {}
    connection_timeout_seconds: int = 120
    troubleshooting_url: str = ""
    subsystems: list[AgentSubsystem] = []
    health: WorkspaceAgentHealth = Field(default_factory=WorkspaceAgentHealth)
    display_apps: list[DisplayApp] = []
    log_sources: list[WorkspaceAgentLogSource] = []
    scripts: list[WorkspaceAgentScript] = []
    startup_script_behavior: StartupScriptBehavior = StartupScriptBehavior.NON_BLOCKING


class WorkspaceAgentListeningPort(Shape):
    process_name: str = ""
    network: str = "tcp"
    port: int


class WorkspaceAgentListeningPorts(Shape):
    ports: list[WorkspaceAgentListeningPort] = []


class AgentConnectionInfo(Shape):
    """How a client reaches an agent. Everything goes through the server's relay."""

    derp_map: None = None
    derp_force_websockets: bool = False
    disable_direct_connections: bool = True
    hostname_suffix: str = ""
    host_key: str = ""
    """The agent's OpenSSH public host key, for the client to check."""


class MetadataResult(Shape):
    collected_at: Time
    age: int = 0
    value: str = ""
    error: str = ""


class MetadataDescription(Shape):
    display_name: str
    key: str
    script: str = ""
    interval: int
    timeout: int


class WorkspaceAgentMetadata(Shape):
    result: MetadataResult
    description: MetadataDescription


class AgentLogEntry(Request):
    created_at: Time
    output: str
    level: LogLevel = LogLevel.INFO


class PatchAgentLogs(Request):
    log_source_id: UUID
    logs: list[AgentLogEntry]


class PostLogSourceRequest(Request):
    id: UUID
    display_name: str
    icon: str = ""


class PatchAppStatus(Request):
    app_slug: str
    state: AppStatusState
    message: str = ""
    uri: str = ""


class AgentGitSSHKey(Shape):
    """The key pair of a workspace's owner; only the owner's agent may read it."""

    public_key: str
    private_key: str


MAX_PROOF = 64 * 1024


class AWSInstanceIdentityToken(Request):
    """A document of a machine of AWS, and its signature in base64."""

    signature: str = Field(max_length=MAX_PROOF)
    document: str = Field(max_length=MAX_PROOF)


class AzureInstanceIdentityToken(Request):
    """Signed data about a machine of Azure, in base64."""

    signature: str = Field(max_length=MAX_PROOF)
    encoding: str = Field(default="", max_length=100)


class GoogleInstanceIdentityToken(Request):
    """A token of Google about a machine."""

    json_web_token: str = Field(max_length=MAX_PROOF)


class AgentAuthenticated(Shape):
    """The session token of the agent on a machine."""

    session_token: str
