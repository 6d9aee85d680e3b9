"""From what people type (``owner/name``, an organization, a template) to what the API knows."""

from typing import TYPE_CHECKING

from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError

if TYPE_CHECKING:
    from coder_cli.sdk.organizations import Organization
    from coder_cli.sdk.templates import Template
    from coder_cli.sdk.users import User
    from coder_cli.sdk.workspaces import Workspace


def split_owner(text: str) -> tuple[str, str]:
    """Return owner and name of ``name`` or ``owner/name``; without an owner it is ``me``.

    Raises:
        Refused: there is more than one slash, or a part is empty.
    """
    owner, slash, name = text.partition("/")
    if not slash:
        owner, name = "me", text
    if "/" in name or not owner or not name:
        raise Refused(f"{text!r} does not name a workspace; write <name> or <owner>/<name>.")
    return owner, name


def find_workspace(client: Client, text: str) -> "Workspace":
    """Return the workspace that a person calls ``text``.

    Raises:
        Refused: there is none, or they may not see it.
    """
    owner, name = split_owner(text)
    try:
        return client.workspace_by_name(owner, name)
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused(
            f"There is no workspace {text!r} that you can see. List yours with: coder list"
        ) from error


def find_organization(client: Client, text: str) -> "Organization":
    """Return the organization of ``--org``, or the only one the person belongs to.

    Raises:
        Refused: there is no such organization, or the person must choose one.
    """
    if text:
        try:
            return client.organization(text)
        except ApiError as error:
            if error.status != 404:
                raise
            raise Refused(f"There is no organization {text!r} that you can see.") from error
    mine = client.organizations_of("me")
    match mine:
        case [only]:
            return only
        case []:
            raise Refused("You belong to no organization. Ask an administrator to add you to one.")
        case _:
            names = ", ".join(sorted(one.name for one in mine))
            raise Refused(f"You belong to several organizations ({names}). Choose one with --org.")


def find_user(client: Client, text: str) -> "User":
    """Return the user with this name, id or ``me``.

    Raises:
        Refused: there is none, or the person may not see them.
    """
    try:
        return client.user(text)
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused(
            f"There is no user {text!r} that you can see. List them with: coder users list"
        ) from error


def find_template(client: Client, organization: str, name: str) -> "Template":
    """Return a template by name, in the organization given or in any that the person sees.

    Raises:
        Refused: there is none, or the name is not enough to tell which.
    """
    found = [one for one in client.templates() if one.name == name]
    if organization:
        chosen = find_organization(client, organization)
        found = [one for one in found if one.organization_id == chosen.id]
    match found:
        case [only]:
            return only
        case []:
            raise Refused(
                f"There is no template {name!r} that you can see. List them with:"
                " coder templates list"
            )
        case _:
            places = ", ".join(sorted(one.organization_name for one in found))
            raise Refused(f"Several organizations ({places}) have a template {name!r}: pass --org.")
