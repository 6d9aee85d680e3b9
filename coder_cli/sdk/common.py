"""What all wire shapes share: their base classes, names that are checked, zero values, paging."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from coder_cli.kit import names

ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)
"""What upstream writes where a time was never set: ``0001-01-01T00:00:00Z``."""

ZERO_ID = UUID(int=0)
"""What upstream writes where an id was never set."""

Time = AwareDatetime


class Shape(BaseModel):
    """Something the server answers. Fields it does not know are ignored: servers may be newer."""

    # Models are built on first use: a command pays for the shapes that it touches, not for all.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
        protected_namespaces=(),
    )


class Request(BaseModel):
    """Something a client sends. Unknown fields are ignored, as upstream's decoder does."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        serialize_by_alias=True,
        defer_build=True,
        protected_namespaces=(),
    )


def _must(check: Callable[[str], str | None]) -> AfterValidator:
    def checked(value: str) -> str:
        complaint = check(value)
        if complaint is not None:
            raise ValueError(complaint)
        return value

    return AfterValidator(checked)


Name = Annotated[str, _must(names.check_name)]
"""A user, workspace, template or organization name."""

KeptName = Annotated[str, _must(lambda value: names.check_name(value) if value else None)]
"""The same in a change; empty keeps the present one."""

VersionName = Annotated[
    str, _must(lambda value: names.check_version_name(value) if value else None)
]
"""A template version name; empty lets the server choose."""

DisplayName = Annotated[str, _must(names.check_display_name)]
RealName = Annotated[str, _must(names.check_real_name)]
Email = Annotated[str, _must(names.check_email)]


class ValidationError(Shape):
    """One offending field of a request."""

    field: str
    detail: str


class Response(Shape):
    """The body of every error, and of successes that have nothing else to say."""

    message: str
    detail: str = ""
    validations: list[ValidationError] = []


class NameValue(Shape):
    """A parameter or variable and its value."""

    name: str
    value: str


class UploadResponse(Shape):
    """Where an uploaded file went: ``hash`` is the file's id, whatever its name says."""

    hash: UUID
