"""Agents inside an agent: what one says to have them made, listed and deleted."""

from dataclasses import dataclass, field
from uuid import UUID

from coder_cli.sdk.agentapi.shapes import Healthcheck


@dataclass(frozen=True, slots=True)
class SubAgentApp:
    """An app that a dev container's configuration declares."""

    slug: str
    display_name: str = ""
    command: str = ""
    url: str = ""
    external: bool = False
    icon: str = ""
    subdomain: bool = False
    share: str = "owner"
    hidden: bool = False
    open_in: str = "slim-window"
    order: int = 0
    group: str = ""
    healthcheck: Healthcheck = field(default_factory=Healthcheck)


@dataclass(frozen=True, slots=True)
class CreateSubAgent:
    """``id`` is the one that a template has assigned already."""

    name: str
    directory: str = ""
    architecture: str = ""
    operating_system: str = ""
    apps: tuple[SubAgentApp, ...] = ()
    display_apps: tuple[str, ...] = ()
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SubAgent:
    """One of them. Its token is told once, when it is made."""

    id: UUID
    name: str
    auth_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AppCreationError:
    """Why an app was left out; ``index`` is its place in the request."""

    index: int
    error: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class CreatedSubAgent:
    agent: SubAgent
    app_creation_errors: tuple[AppCreationError, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteSubAgent:
    id: UUID


@dataclass(frozen=True, slots=True)
class SubAgents:
    agents: tuple[SubAgent, ...] = ()
