"""The deployment itself: versions, configuration, health, permission checks."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field, JsonValue

from coder_cli.sdk.common import Request, Shape, Time
from coder_cli.sdk.jobs import ProvisionerDaemon

VERSION_HEADER = "X-Coder-Build-Version"
"""Every response carries the server's version."""

SESSION_HEADER = "Coder-Session-Token"
SESSION_COOKIE = "coder_session_token"


class BuildInfo(Shape):
    external_url: str
    version: str
    dashboard_url: str = ""
    telemetry: bool = False
    workspace_proxy: bool = False
    agent_api_version: str
    provisioner_api_version: str = "1.0"
    upgrade_message: str = ""
    deployment_id: str = ""
    webpush_public_key: str = ""


class UpdateCheckResponse(Shape):
    current: bool
    version: str
    url: str


class SSHConfigResponse(Shape):
    """What ``config-ssh`` asks: how hosts are named, and extra options for them."""

    hostname_prefix: str = "coder."
    hostname_suffix: str = "coder"
    ssh_config_options: dict[str, str] = {}


class AvailableExperiments(Shape):
    safe: list[str] = []


class AppHostResponse(Shape):
    host: str = ""


class ExternalAPIKeyScopes(Shape):
    external: list[str] = []


class AuthorizationObject(Request):
    resource_type: str
    owner_id: str = ""
    organization_id: str = ""
    resource_id: str = ""
    any_org: bool = False


class AuthorizationCheck(Request):
    object: AuthorizationObject
    action: str


class AuthorizationRequest(Request):
    """Questions by key; the answer is a map of the same keys to booleans."""

    checks: dict[str, AuthorizationCheck]


class Region(Shape):
    id: UUID
    name: str
    display_name: str = ""
    icon_url: str = ""
    healthy: bool = True
    path_app_url: str = ""
    wildcard_hostname: str = ""


class RegionsResponse(Shape):
    regions: list[Region]


class LatencyStats(Shape):
    p50: float = Field(default=-1, alias="P50")
    p95: float = Field(default=-1, alias="P95")


class WorkspaceDeploymentStats(Shape):
    pending: int = 0
    building: int = 0
    running: int = 0
    failed: int = 0
    stopped: int = 0
    connection_latency_ms: LatencyStats = Field(default_factory=LatencyStats)
    rx_bytes: int = 0
    tx_bytes: int = 0


class SessionCountDeploymentStats(Shape):
    vscode: int = 0
    ssh: int = 0
    jetbrains: int = 0
    reconnecting_pty: int = 0


class DeploymentStats(Shape):
    aggregated_from: Time
    collected_at: Time
    next_update_at: Time
    workspaces: WorkspaceDeploymentStats = Field(default_factory=WorkspaceDeploymentStats)
    session_count: SessionCountDeploymentStats = Field(default_factory=SessionCountDeploymentStats)


class OptionGroup(Shape):
    name: str
    yaml: str = ""
    description: str = ""


class DeploymentOption(Shape):
    name: str
    description: str = ""
    flag: str = ""
    flag_shorthand: str = ""
    env: str = ""
    yaml: str = ""
    default: str = ""
    value: JsonValue = None
    value_source: str = ""
    annotations: dict[str, str] = {}
    group: OptionGroup | None = None
    hidden: bool = False
    required: bool = False
    use_instead: list[str] = []


class DeploymentConfig(Shape):
    """The effective configuration; secrets are blank."""

    config: dict[str, JsonValue]
    options: list[DeploymentOption]


class HealthSeverity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class HealthSection(StrEnum):
    DERP = "DERP"
    ACCESS_URL = "AccessURL"
    WEBSOCKET = "Websocket"
    DATABASE = "Database"
    WORKSPACE_PROXY = "WorkspaceProxy"
    PROVISIONER_DAEMONS = "ProvisionerDaemons"


class HealthMessage(Shape):
    code: str
    message: str


class HealthReport(Shape):
    severity: HealthSeverity = HealthSeverity.OK
    healthy: bool = True
    warnings: list[HealthMessage] = []
    dismissed: bool = False
    error: str | None = None
    note: str = ""
    """What a person should know of a section that has nothing to check."""


class HealthItem(Shape):
    """One provisioner daemon, and what is not as it should be with it."""

    provisioner_daemon: ProvisionerDaemon
    warnings: list[HealthMessage] = []


class ProvisionerDaemonsReport(HealthReport):
    items: list[HealthItem] = []


class AccessURLReport(HealthReport):
    access_url: str = ""
    reachable: bool = False
    status_code: int = 0
    healthz_response: str = ""


class WebsocketReport(HealthReport):
    code: int = 0
    body: str = ""


class DatabaseReport(HealthReport):
    reachable: bool = False
    latency: str = ""
    latency_ms: int = 0
    threshold_ms: int = 15


class HealthcheckReport(Shape):
    time: Time
    healthy: bool
    severity: HealthSeverity
    derp: HealthReport = Field(default_factory=HealthReport)
    access_url: AccessURLReport = Field(default_factory=AccessURLReport)
    websocket: WebsocketReport = Field(default_factory=WebsocketReport)
    database: DatabaseReport = Field(default_factory=DatabaseReport)
    workspace_proxy: HealthReport = Field(default_factory=HealthReport)
    provisioner_daemons: ProvisionerDaemonsReport = Field(default_factory=ProvisionerDaemonsReport)
    coder_version: str = ""


class HealthSettings(Shape):
    dismissed_healthchecks: list[HealthSection] = []


class BannerConfig(Shape):
    enabled: bool = False
    message: str = ""
    background_color: str = ""


class LinkConfig(Shape):
    name: str
    target: str
    icon: str = ""
    location: str = ""


class AppearanceConfig(Shape):
    application_name: str = ""
    logo_url: str = ""
    docs_url: str = ""
    service_banner: BannerConfig = Field(default_factory=BannerConfig)
    announcement_banners: list[BannerConfig] = []
    support_links: list[LinkConfig] = []


class Entitlements(Shape):
    """Everything is part of this product; upstream's clients still ask."""

    features: dict[str, JsonValue] = {}
    warnings: list[str] = []
    errors: list[str] = []
    has_license: bool = False
    trial: bool = False
    require_telemetry: bool = False
    refreshed_at: Time | None = None
