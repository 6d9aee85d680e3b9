"""What goes into terraform, as frozen values."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from server.terraform.model.words import Transition

NIL = UUID(int=0)
_TOKENS = re.compile(rb'"token":\s*"([^"\\]{1,200})"')


@dataclass(frozen=True, slots=True)
class OwnerRole:
    """A role of the owner; ``org_id`` is empty for a site-wide one."""

    name: str
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who the workspace belongs to, as templates see them."""

    id: UUID = NIL
    name: str = "default"
    full_name: str = ""
    email: str = "default@example.com"
    groups: tuple[str, ...] = ()
    roles: tuple[OwnerRole, ...] = ()
    login_type: str = ""
    ssh_public_key: str = ""
    ssh_private_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    oidc_access_token: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what nobody else may read."""
        return self.session_token, self.oidc_access_token, self.ssh_private_key


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """The workspace, as templates see it."""

    id: UUID = NIL
    name: str = "default"
    is_prebuild: bool = False
    is_prebuild_claim: bool = False
    running_agent_token: str = field(default="", repr=False)
    """The token that a claimed prebuild's agent already holds."""


@dataclass(frozen=True, slots=True)
class TemplateFacts:
    """The template, as templates see themselves; ``version`` is the version's name."""

    id: UUID = NIL
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """The AI task that the build serves."""

    id: UUID
    prompt: str


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Everything needed to learn what a template version offers. Nothing is applied."""

    work_dir: Path
    """Private to this job, made by the caller, empty; the caller removes it."""
    archive: bytes = field(repr=False)
    """A tar of the template's directory. Hostile until proven otherwise."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The values given for template variables; undeclared ones are dropped."""
    access_url: str = "http://localhost:3000"
    owner: Owner = Owner()
    template: TemplateFacts = TemplateFacts()
    external_auth: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what no log may tell. Which variables are sensitive, the template knows."""
        return *self.owner.secrets, *self.external_auth.values()


@dataclass(frozen=True, slots=True)
class Quota:
    """What a budget says to a build."""

    ok: bool
    budget: int
    """-1 is without a limit."""
    consumed: int
    """Of the budget, with this build."""


QuotaHook = Callable[[int], Awaitable[Quota]]
"""Takes the daily cost of a planned build."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """Everything needed to start, stop or delete one workspace."""

    work_dir: Path
    """Private to this job, made by the caller, empty; the caller removes it."""
    archive: bytes = field(repr=False)
    transition: Transition
    build_id: UUID
    workspace: WorkspaceFacts
    owner: Owner
    template: TemplateFacts
    access_url: str
    state: bytes | None = field(default=None, repr=False)
    """The state after the previous build, or what ``sweep`` recovered."""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    previous_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values of the last build, for monotonic validation."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    agent_scripts: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """``"linux_amd64"`` → init script body with ``${ACCESS_URL}`` and ``${AUTH_TYPE}``."""
    external_auth: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Provider id → access token; only valid tokens."""
    secret_env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secret_files: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    task: TaskFacts | None = None
    quota: QuotaHook | None = None
    """Asked between plan and apply of a start or a stop that costs something."""
    debug: bool = False
    """Have terraform log its own debug lines into the build log."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what no log may tell. Which variables are sensitive, the template knows."""
        return (
            *self.owner.secrets,
            self.workspace.running_agent_token,
            *self.external_auth.values(),
            *self.secret_env.values(),
            # The agents of the build before; a stop or a deletion still handles them.
            *(token.decode("utf-8", "replace") for token in _TOKENS.findall(self.state or b"")),
            *self.secret_files.values(),
        )
