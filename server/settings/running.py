"""Options of what runs here: database, provisioning, clients, limits."""

# ruff: noqa: RUF009, option() returns a dataclass field, as dataclasses.field does

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server.settings.kinds import (
    BOOL,
    DURATION,
    LINKS,
    PATH,
    POSTGRES,
    SSH_OPTIONS,
    SUFFIX,
    TEXT,
    WORDS,
    Link,
    choice,
    integer,
)
from server.settings.option import Group, Names, option

_DATABASE = Group("Database", "database", "Where everything is kept.")
_STORAGE = Group("Storage", "", "Files that can be made again.")
_PROVISIONING = Group("Provisioning", "provisioning", "Who runs Terraform, and how.")
_CLIENT = Group("Client", "client", "What clients of this server are told.")
_LIMITS = Group("Limits", "limits", "What one caller may ask for.")
_SERVER = Group("Server", "", "This process itself.")


@dataclass(frozen=True, slots=True)
class Database:
    """PostgreSQL: somebody's, or our own."""

    url: str = option(
        POSTGRES,
        Names(
            flag="postgres-url",
            env="CODER_PG_CONNECTION_URL",
            yaml="postgresURL",
            json="pg_connection_url",
            name="Postgres Connection URL",
        ),
        _DATABASE,
        "URL of a PostgreSQL database (13 or newer). Without it, the server runs its own under "
        "the configuration directory.",
        secret=True,
    )
    max_open: int = option(
        integer(2, 10_000),
        Names(
            flag="postgres-conn-max-open",
            env="CODER_PG_CONN_MAX_OPEN",
            yaml="connMaxOpen",
            json="pg_conn_max_open",
            name="Postgres Connection Max Open",
        ),
        _DATABASE,
        "The most connections that one replica keeps open.",
        default="10",
    )
    max_idle: int = option(
        integer(0, 10_000),
        Names(
            flag="postgres-conn-max-idle",
            env="CODER_PG_CONN_MAX_IDLE",
            yaml="connMaxIdle",
            json="pg_conn_max_idle",
            name="Postgres Connection Max Idle",
        ),
        _DATABASE,
        "How many connections stay open when nothing is asked; 0 keeps one.",
        default="0",
    )
    ephemeral: bool = option(
        BOOL,
        Names(flag="ephemeral", yaml="ephemeral", json="ephemeral_deployment"),
        _DATABASE,
        "Keep the built-in database in a temporary directory and forget it at the end.",
        default="false",
        hidden=True,
    )


def _default_cache(environ: Mapping[str, str]) -> str:
    """Return systemd's ``$CACHE_DIRECTORY``, or the user's; root's stays out of any home."""
    if given := environ.get("CACHE_DIRECTORY"):
        return given.split(":")[0]
    if base := environ.get("XDG_CACHE_HOME"):
        return f"{base}/coder"
    return "/var/cache/coder" if os.geteuid() == 0 else "~/.cache/coder"


@dataclass(frozen=True, slots=True)
class Storage:
    """Directories of things that can be made again."""

    cache_dir: Path | None = option(
        PATH,
        Names(
            flag="cache-dir",
            env="CODER_CACHE_DIRECTORY",
            yaml="cacheDir",
            json="cache_directory",
            name="Cache Directory",
        ),
        _STORAGE,
        "Where downloads, work directories of Terraform and agent binaries are kept. "
        "$CACHE_DIRECTORY, set by systemd, is the default when there is one.",
        default="~/.cache/coder",
        dynamic=_default_cache,
    )


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Terraform and the workers that run it."""

    daemons: int = option(
        integer(0, 1000),
        Names(
            flag="provisioner-daemons",
            yaml="daemons",
            json="provisioner.daemons",
            name="Provisioner Daemons",
        ),
        _PROVISIONING,
        "How many jobs each replica runs at a time; 0 runs none.",
        default="3",
    )
    daemon_psk: str = option(
        TEXT,
        Names(
            flag="provisioner-daemon-psk",
            yaml="daemonPSK",
            json="provisioner.daemon_psk",
            name="Provisioner Daemon Pre-shared Key (PSK)",
        ),
        _PROVISIONING,
        "A key with which provisioner daemons of other machines may log in to every organization. "
        "Keys of coder provisioner keys create are better: each is for one organization.",
        secret=True,
    )
    force_cancel_interval: timedelta = option(
        DURATION,
        Names(
            flag="provisioner-force-cancel-interval",
            yaml="forceCancelInterval",
            json="provisioner.force_cancel_interval",
            name="Force Cancel Interval",
        ),
        _PROVISIONING,
        "How long a cancelled job may take to stop before it is killed.",
        default="10m",
    )
    hang_detector_interval: timedelta = option(
        DURATION,
        Names(
            flag="job-hang-detector-interval",
            yaml="jobHangDetectorInterval",
            json="job_hang_detector_interval",
        ),
        _PROVISIONING,
        "How often jobs are looked for that nobody works on.",
        default="1m",
        hidden=True,
    )
    terraform_debug_mode: bool = option(
        BOOL,
        Names(
            flag="enable-terraform-debug-mode",
            yaml="enableTerraformDebugMode",
            json="enable_terraform_debug_mode",
            name="Enable Terraform debug mode",
        ),
        _PROVISIONING,
        "Let builds be asked for whose log has Terraform's own debug messages: "
        "these may hold secrets.",
        default="false",
    )
    terraform_binary: Path | None = option(
        PATH,
        Names(flag="terraform-binary", yaml="terraformBinary", json="provisioner.terraform_binary"),
        _PROVISIONING,
        "The terraform (1.9 or newer) or tofu (1.10 or newer) to run. Without it, the one on PATH "
        "is taken, else the one in bin/ of the cache directory.",
    )
    terraform_modules_dir: Path | None = option(
        PATH,
        Names(
            flag="terraform-modules-dir",
            yaml="terraformModulesDir",
            json="provisioner.terraform_modules_dir",
        ),
        _PROVISIONING,
        "Take modules of registry.coder.com from this directory instead of the network: a Git "
        "mirror of github.com/coder/registry, or <namespace>/<module>/<system>/<version>/.",
    )
    instance_identity_dir: Path | None = option(
        PATH,
        Names(
            flag="instance-identity-dir",
            yaml="instanceIdentityDir",
            json="provisioner.instance_identity_dir",
        ),
        _PROVISIONING,
        "Whom to believe about machines of a cloud whose agents log in without a token: "
        "certificates in aws/*.pem and azure/*.pem, and Google's keys in google.json. Without "
        "the last, Google's are fetched from Google.",
    )
    coder_provider: str = option(
        TEXT,
        Names(flag="coder-provider", yaml="coderProvider", json="provisioner.coder_provider"),
        _PROVISIONING,
        "The Terraform provider coder/coder to use: builtin, registry, or the path of an "
        "executable.",
        default="builtin",
    )
    ssh_keygen_algorithm: str = option(
        choice("algorithm", "ed25519", "ecdsa", "rsa4096"),
        Names(
            flag="ssh-keygen-algorithm",
            yaml="sshKeygenAlgorithm",
            json="ssh_keygen_algorithm",
            name="SSH Keygen Algorithm",
        ),
        _PROVISIONING,
        "The kind of SSH key that is made for each user: ed25519, ecdsa or rsa4096.",
        default="ed25519",
    )
    agent_stats_refresh_interval: timedelta = option(
        DURATION,
        Names(
            flag="agent-stats-refresh-interval",
            yaml="agentStatsRefreshInterval",
            json="agent_stat_refresh_interval",
        ),
        _PROVISIONING,
        "How often workspace agents report their statistics.",
        default="30s",
        hidden=True,
    )


@dataclass(frozen=True, slots=True)
class Client:
    """What clients are told."""

    ssh_hostname_prefix: str = option(
        TEXT,
        Names(
            flag="ssh-hostname-prefix",
            yaml="sshHostnamePrefix",
            json="config_ssh.deploymentName",
            name="SSH Host Prefix",
        ),
        _CLIENT,
        "What host names of workspaces begin with in SSH configurations.",
        default="coder.",
    )
    workspace_hostname_suffix: str = option(
        SUFFIX,
        Names(
            flag="workspace-hostname-suffix",
            yaml="workspaceHostnameSuffix",
            json="workspace_hostname_suffix",
        ),
        _CLIENT,
        "What host names of workspaces end with, without a leading dot.",
        default="coder",
    )
    ssh_config_options: dict[str, str] = option(
        SSH_OPTIONS,
        Names(
            flag="ssh-config-options",
            yaml="sshConfigOptions",
            json="config_ssh.sshOptions",
            name="SSH Config Options",
        ),
        _CLIENT,
        "SSH options that coder config-ssh writes for everyone, as key=value.",
    )
    support_links: tuple[Link, ...] = option(
        LINKS,
        Names(flag="support-links", yaml="supportLinks", json="support.links"),
        _CLIENT,
        "Links that pages show to everybody, as JSON: name, target, icon (bug, chat, docs, star), "
        "location (navbar, dropdown).",
    )
    cli_upgrade_message: str = option(
        TEXT,
        Names(
            flag="cli-upgrade-message",
            yaml="cliUpgradeMessage",
            json="cli_upgrade_message",
            name="CLI Upgrade Message",
        ),
        _CLIENT,
        "What clients of another version are told to do.",
    )
    disable_owner_workspace_access: bool = option(
        BOOL,
        Names(
            flag="disable-owner-workspace-access",
            yaml="disableOwnerWorkspaceAccess",
            json="disable_owner_workspace_exec",
        ),
        _CLIENT,
        "Take from owners the right to enter workspaces of other people.",
        default="false",
    )
    allow_workspace_renames: bool = option(
        BOOL,
        Names(
            flag="allow-workspace-renames",
            yaml="allowWorkspaceRenames",
            json="allow_workspace_renames",
        ),
        _CLIENT,
        "Let people rename workspaces. Templates that name disks and machines after a workspace "
        "lose them with its next build.",
        default="false",
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What one caller may ask for."""

    api_rate_limit: int = option(
        integer(-1, 10**9),
        Names(
            flag="api-rate-limit",
            yaml="apiRateLimit",
            json="rate_limit.api",
            name="API Rate Limit",
        ),
        _LIMITS,
        "Requests in a minute that one user, or one address, may make of one endpoint; "
        "-1 is no limit.",
        default="512",
        hidden=True,
    )
    dangerous_disable_rate_limits: bool = option(
        BOOL,
        Names(
            flag="dangerous-disable-rate-limits",
            yaml="disableRateLimits",
            json="rate_limit.disable_all",
        ),
        _LIMITS,
        "Switch every rate limit off, that of log-ins too.",
        default="false",
        hidden=True,
    )


@dataclass(frozen=True, slots=True)
class Server:
    """This process."""

    swagger_enable: bool = option(
        BOOL,
        Names(flag="swagger-enable", yaml="enableSwagger", json="swagger.enable"),
        _SERVER,
        "Serve the API's documentation at /swagger.",
        default="false",
    )
    experiments: tuple[str, ...] = option(
        WORDS,
        Names(flag="experiments", yaml="experiments", json="experiments"),
        _SERVER,
        "Experiments to switch on; '*' switches on every safe one.",
    )
    workers: int = option(
        integer(1, 64),
        Names(flag="workers", yaml="workers", json="workers"),
        _SERVER,
        "How many equal replicas of the server run on this machine, behind one port.",
        default="1",
    )
    quickstart: bool = option(
        BOOL,
        Names(flag="quickstart", yaml="quickstart", json="quickstart"),
        _SERVER,
        "Make a first user, a template and a workspace once the server is up.",
        default="false",
    )
