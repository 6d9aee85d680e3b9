"""Containers of a workspace and its dev containers, as the agent tells them on port 4."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

CONTAINERS: Final = "/api/v0/containers"
WATCH: Final = "/api/v0/containers/watch"
DEVCONTAINER: Final = "/api/v0/containers/devcontainers/{devcontainer}"
RECREATE: Final = "/api/v0/containers/devcontainers/{devcontainer}/recreate"
LARGEST: Final = 4 * 1024 * 1024


class DevcontainerStatus(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    STARTING = "starting"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ContainerPort:
    port: int
    network: str = "tcp"
    host_ip: str = ""
    host_port: int = 0


@dataclass(frozen=True, slots=True)
class Container:
    """One container, running or not. ``name`` is for people."""

    id: str
    name: str
    image: str
    created_at: datetime
    labels: dict[str, str] = field(default_factory=dict[str, str])
    running: bool = False
    ports: tuple[ContainerPort, ...] = ()
    status: str = ""
    volumes: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class DevcontainerAgent:
    """The agent inside."""

    id: UUID
    name: str
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Devcontainer:
    """A known configuration, and what became of it."""

    id: UUID
    name: str
    workspace_folder: str
    config_path: str = ""
    status: DevcontainerStatus = DevcontainerStatus.STOPPED
    dirty: bool = False
    container: Container | None = None
    agent: DevcontainerAgent | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Containers:
    devcontainers: tuple[Devcontainer, ...] = ()
    containers: tuple[Container, ...] = ()
    warnings: tuple[str, ...] = ()
