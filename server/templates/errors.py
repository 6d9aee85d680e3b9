"""Refusals of templates, versions and files.

ApiError
+ Invalid
  + BadArchive            400  an upload that is no archive, or one that reaches out of itself
  + BadParameters         400  one FieldError for each bad value
+ Conflict
  + TemplateNameTaken     409
  + VersionNameTaken      409
+ TooLarge
  + ArchiveTooLarge       413
+ TooMany
  + TooManyForms          429
+ PreconditionFailed
  + VersionNotImported    412  its import failed, was canceled or goes on
"""

from collections.abc import Sequence

from server.kit.errors import (
    Conflict,
    FieldError,
    Invalid,
    PreconditionFailed,
    TooLarge,
    TooMany,
)

_IN_USE = "This value is already in use and should be unique."


class BadArchive(Invalid):
    """The upload cannot be a template."""

    def __init__(self, reason: str) -> None:
        super().__init__("The archive cannot be used.", detail=reason)


class ArchiveTooLarge(TooLarge):
    """The upload, or what is packed into it, is over the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The archive is too large: at most {limit // 2**20} MiB are accepted.")


class BadParameters(Invalid):
    """Values of parameters that a build cannot use."""

    def __init__(self, fields: Sequence[FieldError], detail: str = "") -> None:
        super().__init__("Unable to validate parameters", detail=detail, fields=fields)


class TemplateNameTaken(Conflict):
    """The organization has a template of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A template with the name {name!r} already exists.",
            fields=[FieldError("name", _IN_USE)],
        )


class VersionNameTaken(Conflict):
    """The template has a version of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A template version with name {name!r} already exists for this template.",
            fields=[FieldError("name", _IN_USE)],
        )


class VersionNotImported(PreconditionFailed):
    """The version's import has not succeeded."""

    def __init__(self) -> None:
        super().__init__("Only versions that have been built successfully can be promoted.")


class TooManyForms(TooMany):
    """Somebody has more live forms open than a person can fill in."""

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} forms open already. Close one of them.")
