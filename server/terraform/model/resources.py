"""What terraform made: resources, the agents in them, and what hangs on an agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Healthcheck:
    url: str
    interval: int
    threshold: int


@dataclass(frozen=True, slots=True)
class App:
    """A ``coder_app``."""

    slug: str
    display_name: str
    id: str = ""
    url: str = ""
    command: str = ""
    icon: str = ""
    external: bool = False
    subdomain: bool = False
    sharing_level: str = "owner"
    healthcheck: Healthcheck | None = None
    group: str = ""
    order: int = 0
    hidden: bool = False
    open_in: str = "slim-window"
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """A ``coder_script``, or an agent's own startup or shutdown script."""

    display_name: str
    script: str
    icon: str = ""
    log_path: str = ""
    cron: str = ""
    start_blocks_login: bool = False
    run_on_start: bool = False
    run_on_stop: bool = False
    timeout_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Env:
    """A ``coder_env``, before it is merged."""

    name: str
    value: str
    merge_strategy: str = "replace"
    address: str = ""


@dataclass(frozen=True, slots=True)
class AgentMetadata:
    """A ``metadata`` block of an agent: a script whose output is shown."""

    key: str
    script: str
    interval: int
    display_name: str = ""
    timeout: int = 0
    order: int = 0


@dataclass(frozen=True, slots=True)
class Devcontainer:
    """A ``coder_devcontainer``."""

    name: str
    workspace_folder: str
    id: str = ""
    config_path: str = ""
    subagent_id: str = ""
    apps: tuple[App, ...] = ()
    scripts: tuple[Script, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class VolumeMonitor:
    path: str
    enabled: bool
    threshold: int


@dataclass(frozen=True, slots=True)
class MemoryMonitor:
    enabled: bool
    threshold: int


@dataclass(frozen=True, slots=True)
class Agent:
    """A ``coder_agent`` with everything that is attached to it."""

    name: str
    id: str = ""
    """Terraform's id. The database gives each build's agent an own one."""
    token: str = field(default="", repr=False)
    instance_id: str = ""
    auth: str = "token"
    operating_system: str = "linux"
    architecture: str = "amd64"
    directory: str = ""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """The agent's own ``env`` with every ``coder_env`` merged in."""
    apps: tuple[App, ...] = ()
    scripts: tuple[Script, ...] = ()
    metadata: tuple[AgentMetadata, ...] = ()
    devcontainers: tuple[Devcontainer, ...] = ()
    display_apps: tuple[str, ...] = ()
    """Of vscode, vscode_insiders, web_terminal, ssh_helper, port_forwarding_helper."""
    connection_timeout_seconds: int = 120
    troubleshooting_url: str = ""
    motd_file: str = ""
    order: int = 0
    api_key_scope: str = "all"
    memory_monitor: MemoryMonitor | None = None
    volume_monitors: tuple[VolumeMonitor, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """One item of a ``coder_metadata``."""

    key: str
    value: str = ""
    sensitive: bool = False
    is_null: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """Something terraform made, with the agents that run in it."""

    name: str
    type: str
    address: str = ""
    agents: tuple[Agent, ...] = ()
    metadata: tuple[Metadata, ...] = ()
    hide: bool = False
    icon: str = ""
    instance_type: str = ""
    daily_cost: int = 0
    module_path: str = ""


@dataclass(frozen=True, slots=True)
class AITask:
    """A ``coder_ai_task``."""

    id: str
    app_id: str = ""
    prompt: str = ""
