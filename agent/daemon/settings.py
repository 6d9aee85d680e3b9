"""What an agent is started with, after flags, environment and files have been read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coder_cli.sdk.agentidentity import TokenProvider


@dataclass(frozen=True, slots=True)
class Devcontainers:
    """Whether there are dev containers, whether projects are looked for, and started."""

    enabled: bool = True
    discover: bool = True
    autostart: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """One agent. ``env`` is the environment it was started in."""

    url: str
    tokens: TokenProvider = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    executable: str
    log_dir: Path
    script_data_dir: Path
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ssh_max_timeout: float = 72 * 3600
    block_file_transfer: bool = False
    subsystems: tuple[str, ...] = ()
    devcontainers: Devcontainers = field(default_factory=Devcontainers)
    boundary_paths: tuple[str, ...] = ()
    """Where the socket for boundaries may be."""
    socket_paths: tuple[str, ...] = ()
    """Where the socket for the workspace's own processes may be, the first that is possible."""
