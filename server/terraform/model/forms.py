"""A live form: what a template asks, evaluated for one owner and the answers so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from server.terraform.model.asked import Owner, TemplateFacts
from server.terraform.model.found import Parameter


@dataclass(frozen=True, slots=True)
class FormSlice:
    """A template cut down to its parameters, as a tar; with ``problem`` set, why there is none."""

    content: bytes = field(default=b"", repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """What a form is evaluated for. Secrets of the owner have no place in it."""

    slice: bytes = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    """Values given for the template's variables; those that the slice lacks are dropped."""
    owner: Owner
    template: TemplateFacts
    access_url: str
    inputs: Mapping[str, str]
    """The answers so far; unknown names are dropped."""
    previous: Mapping[str, str] = field(default_factory=dict[str, str])
    """The values of the build before, for monotonic validation."""


@dataclass(frozen=True, slots=True)
class FormNote:
    """A complaint that a person sees."""

    severity: Literal["error", "warning"]
    summary: str
    detail: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class FormParameter:
    """A parameter that exists for these answers."""

    parameter: Parameter
    value: str = ""
    known: bool = True
    """The value is one: not missing, and not something that only a build can tell."""
    has_default: bool = False
    notes: tuple[FormNote, ...] = ()

    @property
    def errors(self) -> tuple[FormNote, ...]:
        """Return why a build could not use the value."""
        return tuple(note for note in self.notes if note.severity == "error")


@dataclass(frozen=True, slots=True)
class Form:
    """A form, evaluated; parameters are in the order in which people are asked."""

    parameters: tuple[FormParameter, ...] = ()
    notes: tuple[FormNote, ...] = ()
    workspace_tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def errors(self) -> tuple[FormNote, ...]:
        """Return what is wrong with the form as a whole."""
        return tuple(note for note in self.notes if note.severity == "error")


class NoForm(Exception):
    """A form could not be evaluated at all; the message says why."""


class FormBusy(NoForm):
    """It could be, but not just now."""
