"""Containers of a workspace, and its dev containers, as clients see them."""

from enum import StrEnum
from uuid import UUID

from coder_cli.sdk.common import Shape, Time


class WorkspaceAgentDevcontainerStatus(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    STARTING = "starting"
    ERROR = "error"


class WorkspaceAgentContainerPort(Shape):
    port: int
    network: str = "tcp"
    host_ip: str = ""
    host_port: int = 0


class WorkspaceAgentContainer(Shape):
    id: str
    name: str
    image: str
    labels: dict[str, str] = {}
    running: bool = False
    ports: list[WorkspaceAgentContainerPort] = []
    status: str = ""
    volumes: dict[str, str] = {}
    created_at: Time


class WorkspaceAgentDevcontainerAgent(Shape):
    id: UUID
    name: str
    directory: str = ""


class WorkspaceAgentDevcontainer(Shape):
    id: UUID
    name: str
    workspace_folder: str
    config_path: str = ""
    status: WorkspaceAgentDevcontainerStatus
    dirty: bool = False
    container: WorkspaceAgentContainer | None = None
    agent: WorkspaceAgentDevcontainerAgent | None = None
    error: str = ""


class WorkspaceAgentListContainersResponse(Shape):
    devcontainers: list[WorkspaceAgentDevcontainer] = []
    containers: list[WorkspaceAgentContainer] = []
    warnings: list[str] = []
