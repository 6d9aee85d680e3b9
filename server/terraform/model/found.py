"""What terraform found in a template: variables, parameters, presets, sign-ins."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Variable:
    """A ``variable`` block of the template."""

    name: str
    description: str = ""
    type: str = "string"
    """string, number, bool, or the type expression as written."""
    default_value: str = ""
    required: bool = False
    sensitive: bool = False
    value: str = ""
    """What this import ran with: the given value, else the default."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a parameter."""

    name: str
    value: str
    description: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A ``coder_parameter``: what a person is asked when creating a workspace."""

    name: str
    type: str = "string"
    display_name: str = ""
    description: str = ""
    form_type: str = "input"
    styling: str = "{}"
    mutable: bool = False
    default_value: str = ""
    icon: str = ""
    options: tuple[Option, ...] = ()
    validation_regex: str = ""
    validation_error: str = ""
    validation_min: int | None = None
    validation_max: int | None = None
    validation_monotonic: str = ""
    required: bool = False
    order: int = 0
    ephemeral: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class PrebuildSchedule:
    cron: str
    instances: int


@dataclass(frozen=True, slots=True)
class Prebuilds:
    """How many ready workspaces a preset keeps."""

    instances: int
    ttl_seconds: int = 0
    timezone: str = ""
    schedule: tuple[PrebuildSchedule, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of parameter values."""

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    description: str = ""
    icon: str = ""
    default: bool = False
    prebuilds: Prebuilds | None = None


@dataclass(frozen=True, slots=True)
class ExternalAuth:
    """An external auth provider that the template asks for."""

    id: str
    optional: bool = False
