"""How an import or a build ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from server.terraform.model.forms import FormSlice
from server.terraform.model.found import ExternalAuth, Parameter, Preset, Variable
from server.terraform.model.resources import AITask, Resource
from server.terraform.model.words import ErrorCode

_SHOWN_LINES = 4


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint of terraform, with the place it is about."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    file: str = ""
    line: int = 0
    source: str = ""
    """The source line, as written; of an expression over several lines, all of them."""
    source_line: int = 0
    """The line that ``source`` begins with."""
    values: tuple[str, ...] = ()
    """What the expression was made of: ``local.one is 1``. Terraform leaves out the secret ones."""
    block: str = ""
    """``resource "coder_agent" "main"``, when terraform names it."""
    resource: str = ""
    """The resource address, when terraform names one."""

    @property
    def sentence(self) -> str:
        """Return everything a person needs to find the fault, on few lines."""
        lines = [self.headline]
        first = self.source_line or self.line
        for number, text in enumerate(self.source.splitlines()[:_SHOWN_LINES], start=first):
            lines.append(f"  {number}: {text.strip()}")
        lines += [f"  where {value}" for value in self.values]
        if self.detail:
            lines.append(self.detail.strip())
        return "\n".join(lines)

    @property
    def headline(self) -> str:
        """Return where and what, on one line."""
        where = f"{self.file}:{self.line}" if self.file else ""
        place = ", in ".join(part for part in (where, self.block or self.resource) if part)
        return f"{place}: {self.summary}" if place else self.summary


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an import or a build failed: a message for a person and a code for clients."""

    message: str
    code: ErrorCode = ErrorCode.NONE
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def canceled(self) -> bool:
        """Tell whether it ended because somebody asked for that."""
        return self.code is ErrorCode.CANCELED


@dataclass(frozen=True, slots=True)
class Timing:
    """How long terraform took for one thing."""

    started_at: datetime
    ended_at: datetime
    stage: Literal["init", "plan", "graph", "apply"]
    source: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a template version offers; with ``error`` set, only what was learned before it."""

    error: Failure | None = None
    readme: str = ""
    variables: tuple[Variable, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    presets: tuple[Preset, ...] = ()
    external_auth: tuple[ExternalAuth, ...] = ()
    workspace_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    start_resources: tuple[Resource, ...] = ()
    """What exists while a workspace runs; a template lists these as transition ``start``."""
    stop_resources: tuple[Resource, ...] = ()
    """What stays while a workspace is stopped."""
    has_ai_task: bool = False
    has_external_agent: bool = False
    warnings: tuple[Diagnostic, ...] = ()
    form: FormSlice = field(default_factory=FormSlice)
    """What its live form is evaluated from; without content there is none."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made. ``state`` must be saved whether or not there is an ``error``."""

    state: bytes | None = field(default=None, repr=False)
    """None only when nothing was ever made."""
    error: Failure | None = None
    resources: tuple[Resource, ...] = ()
    timings: tuple[Timing, ...] = ()
    ai_tasks: tuple[AITask, ...] = ()
    has_external_agent: bool = False
    warnings: tuple[Diagnostic, ...] = ()
