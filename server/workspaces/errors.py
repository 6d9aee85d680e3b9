"""How this room refuses: the sentences that clients know.

Source: reference, API and CLI, sections 2.1 and 2.7.
"""

from uuid import UUID

from server.kit.errors import Conflict, FieldError, Forbidden, Gone, Invalid

TAKEN = "This value is already in use and should be unique."


class NameTaken(Conflict):
    """The owner has a workspace of that name, in whatever case."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Workspace "{name}" already exists.', fields=[FieldError("name", TAKEN)])


class BuildActive(Conflict):
    """Another build of the workspace has not ended, or was created at the same moment."""

    def __init__(self) -> None:
        super().__init__("A workspace build is already active.")


class ChangedMeanwhile(Conflict):
    """A build was ordered for a form that is not the one of today any more."""

    def __init__(self) -> None:
        super().__init__(
            "The workspace or its template changed while the parameters were evaluated.",
            detail="Try again.",
        )


class WorkspaceGone(Gone):
    """The workspace was deleted; ``include_deleted=true`` shows it all the same."""

    def __init__(self, workspace_id: UUID) -> None:
        super().__init__(
            f'Workspace "{workspace_id}" was deleted, you can view this workspace by specifying '
            "'?include_deleted=true' and trying again."
        )


class Dormant(Conflict):
    """A dormant workspace neither starts nor lets anyone in."""

    def __init__(self) -> None:
        super().__init__(
            "The workspace is dormant.", detail="Activate it before it is started or connected to."
        )


class TemplateManagersOnly(Forbidden):
    """Terraform state, orphaning and debug logs are for those who may update the template."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Only template managers may {what}.")


def invalid_field(message: str, field: str, detail: str) -> Invalid:
    """Return the refusal of one bad field."""
    return Invalid(message, fields=[FieldError(field, detail)])


class NotImported(Invalid):
    """The version's import has not succeeded, so nothing can be built with it."""

    def __init__(self, name: str, state: str) -> None:
        super().__init__(
            f'The provided template version "{name}" cannot be built: its import is "{state}".',
            detail="Wait until the import has ended, or use a version whose import succeeded.",
        )
