"""What travels between a server and a provisioner daemon elsewhere, as JSON and back.

Whatever comes from the other end is checked here for its form; ``model.hostile`` checks what a
result says.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.provisioning.errors import CallRefused
from server.provisioning.model import DAEMON, Acquired, Line
from server.terraform import BuildRequest, Built, Imported, ImportRequest, LogLevel

LONGEST_MESSAGE = 100_000
_SOURCES = frozenset({DAEMON, "provisioner"})


class _Document(BaseModel):
    # The dataclasses inside follow: archives and states travel in base64. Their checks cost 100 ms
    # to build, which only servers with daemons elsewhere pay.
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", defer_build=True)


D = TypeVar("D", bound=_Document)


class ImportWork(_Document):
    kind: Literal["import"] = "import"
    request: ImportRequest


class DryRunWork(_Document):
    kind: Literal["dry_run"] = "dry_run"
    request: BuildRequest


class BuildWork(_Document):
    kind: Literal["build"] = "build"
    request: BuildRequest


class OrphanWork(_Document):
    kind: Literal["orphan"] = "orphan"


Work = Annotated[ImportWork | DryRunWork | BuildWork | OrphanWork, Field(discriminator="kind")]


class Assignment(_Document):
    """A job and its work, for a daemon."""

    job: Acquired
    work: Work


class Lines(_Document):
    """Lines of a log."""

    lines: list[Line]


class Outcome(_Document):
    """What a job's work made, if it made anything."""

    imported: Imported | None = None
    built: Built | None = None

    @property
    def value(self) -> Imported | Built | None:
        """Return whichever there is."""
        return self.built if self.imported is None else self.imported


class Farewell(_Document):
    """How a run ended, as its daemon tells it."""

    job_id: UUID
    token: UUID
    failed: bool
    message: str = Field(default="", max_length=LONGEST_MESSAGE)
    code: str = Field(default="", max_length=100)
    asked: int = Field(ge=0, le=4)
    ask_kind: bool = True
    cut_lines: int = Field(default=0, ge=0, le=2**40)
    cut_bytes: int = Field(default=0, ge=0, le=2**50)
    lines: list[Line] = []
    outcome: Outcome = Field(default_factory=Outcome)


def to_body(document: _Document) -> bytes:
    """Return a document as bytes."""
    return document.model_dump_json().encode()


def from_body(shape: type[D], body: bytes) -> D:
    """Return the document that ``body`` is.

    Raises:
        CallRefused: it is none; the text says where, and repeats no value.
    """
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CallRefused(f"{where or shape.__name__}: {first['msg']}") from None


def lines_of(said: Lines) -> list[Line]:
    """Return lines that can be stored, whatever a daemon sent.

    Raises:
        CallRefused: a source or a level that nobody knows.
    """
    for line in said.lines:
        if line.source not in _SOURCES or line.level not in get_args(LogLevel):
            raise CallRefused("a line of the log has an unknown source or level")
    return [
        replace(line, stage=line.stage.replace("\0", "")[:200], created_at=_aware(line.created_at))
        for line in said.lines
    ]


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)
