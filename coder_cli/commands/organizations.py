"""``coder organizations``."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization, find_user
from coder_cli.commands.flags import Org, Output, UserName, Yes, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.ui.tables import Column, Listing

if TYPE_CHECKING:
    from coder_cli.sdk.organizations import Organization, OrganizationMemberWithUserData

app = new_app("Show organizations and manage their members.")
members = new_app("Manage who belongs to an organization.")
app.add_typer(members, name="members")

ORGANIZATIONS: "Listing[Organization]" = Listing(
    [
        Column("id", lambda one: str(one.id)),
        Column("name", lambda one: one.name),
        Column("display name", lambda one: one.display_name),
        Column("default", lambda one: str(one.is_default).lower()),
    ],
    ["id", "name", "default"],
    "You belong to no organization.",
)
MEMBERS: "Listing[OrganizationMemberWithUserData]" = Listing(
    [
        Column("username", lambda one: one.username),
        Column("name", lambda one: one.name),
        Column("user id", lambda one: str(one.user_id)),
        Column("organization roles", lambda one: ", ".join(role.name for role in one.roles)),
    ],
    ["username", "organization roles"],
    "This organization has no members.",
)

Columns = Annotated[str, columns_of(ORGANIZATIONS)]
MemberColumns = Annotated[str, columns_of(MEMBERS)]


@app.command()
def show(
    which: Annotated[
        str,
        typer.Argument(
            metavar="[selected|me|<name|id>]",
            help="The selected one, all of yours, or that one.",
            show_default=False,
        ),
    ] = "selected",
    only_id: Annotated[bool, typer.Option("--only-id", help="Print ids, nothing else")] = False,
    columns: Columns = "",
    output: Output = "table",
    org: Org = "",
) -> None:
    """Show organizations."""
    client = config.connect()
    match which:
        case "me":
            found = client.organizations_of("me")
        case "selected":
            found = [find_organization(client, org)]
        case _:
            found = [find_organization(client, which)]
    if only_id:
        for one in found:
            ui.result(str(one.id))
        return
    ORGANIZATIONS.show(found, output=output, columns=columns)


@members.command("list")
def list_members(columns: MemberColumns = "", output: Output = "table", org: Org = "") -> None:
    """List members."""
    client = config.connect()
    organization = find_organization(client, org)
    MEMBERS.show(client.members(str(organization.id)), output=output, columns=columns)


@members.command("add")
def add_member(user: UserName, org: Org = "") -> None:
    """Take a user into the organization."""
    client = config.connect()
    organization = find_organization(client, org)
    found = find_user(client, user)
    client.add_member(str(organization.id), str(found.id))
    ui.result(f"User {found.username} has been added to organization {organization.name}.")


@members.command("remove")
def remove_member(user: UserName, yes: Yes = False, org: Org = "") -> None:
    """Take a user out of the organization."""
    client = config.connect()
    organization = find_organization(client, org)
    ui.Asker(config.current().on("force-tty")).confirm(
        f"Are you sure you want to take {user} out of {organization.name}?", yes=yes
    )
    client.remove_member(str(organization.id), user)
    ui.result(f"User {user} has been removed from organization {organization.name}.")


@members.command("edit-roles")
def edit_member_roles(
    user: UserName,
    roles: Annotated[
        list[str] | None,
        typer.Argument(metavar="[<role>...]", help="All their roles.", show_default=False),
    ] = None,
    org: Org = "",
) -> None:
    """Give a member exactly these roles in the organization."""
    client = config.connect()
    organization = find_organization(client, org)
    wanted = [name.strip() for one in roles or [] for name in one.split(",") if name.strip()]
    client.set_member_roles(str(organization.id), user, wanted)
    shown = ", ".join(wanted) or "none"
    ui.result(f"User {user} now has these roles in {organization.name}: {shown}.")


members.command("ls", hidden=True)(list_members)
members.command("rm", hidden=True)(remove_member)
