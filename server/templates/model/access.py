"""What becomes of a list of access when roles are given and taken. Pure."""

from collections.abc import Collection, Mapping
from uuid import UUID

from coder_cli.sdk.template_access import TemplateRole
from server.kit.authz import Shares
from server.kit.errors import FieldError

USE = "use"


def everyone(organization_id: UUID) -> Shares:
    """Return the list by which everybody of an organization may use a template."""
    return {str(organization_id): USE}


def without_everyone(groups: Shares, organization_id: UUID) -> Shares:
    """Return a list of groups by which not everybody may."""
    return {group: role for group, role in groups.items() if group != str(organization_id)}


def with_roles(old: Shares, given: Mapping[UUID, TemplateRole]) -> Shares:
    """Return a list after roles were given; the empty role takes whoever it is off the list."""
    after = {**old, **{str(who): role.value for who, role in given.items()}}
    return {who: role for who, role in after.items() if role}


def ids(field: str, perms: Mapping[str, TemplateRole]) -> dict[UUID, TemplateRole] | FieldError:
    """Return the roles by id, or what is wrong with the ids."""
    read: dict[UUID, TemplateRole] = {}
    for text, role in perms.items():
        try:
            read[UUID(text)] = role
        except ValueError:
            return FieldError(field, f"{text!r} is not a valid UUID.")
    return read


def strangers(
    field: str, given: Mapping[UUID, TemplateRole], known: Collection[UUID]
) -> list[FieldError]:
    """Return a complaint for each that is given a role and does not belong here."""
    return [
        FieldError(field, f"There is no {field.removesuffix('_perms')} {who} in the organization.")
        for who, role in given.items()
        if role and who not in known
    ]
