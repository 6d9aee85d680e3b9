"""``coder users``."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization, find_user
from coder_cli.commands.flags import Org, Output, UserName, Yes, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.kit import names
from coder_cli.sdk.client import Client
from coder_cli.ui.tables import Column, Listing, check_output
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.users import User

app = new_app("Manage the people who use this deployment.")

USERS: "Listing[User]" = Listing(
    [
        Column("id", lambda user: str(user.id)),
        Column("username", lambda user: user.username),
        Column("name", lambda user: user.name),
        Column("email", lambda user: user.email),
        Column("created at", lambda user: timestamp(user.created_at)),
        Column("updated at", lambda user: timestamp(user.updated_at)),
        Column("status", lambda user: user.status.value),
        Column("roles", lambda user: ", ".join(role.name for role in user.roles)),
    ],
    ["username", "email", "created at", "status"],
    "No users found.",
)

Columns = Annotated[str, columns_of(USERS)]


@app.command()
def create(
    username: Annotated[
        str, typer.Option("--username", "-u", help="Their name here", metavar="<name>")
    ] = "",
    email: Annotated[str, typer.Option("--email", "-e", help="Email", metavar="<email>")] = "",
    full_name: Annotated[
        str, typer.Option("--full-name", "-n", help="Their full name", metavar="<name>")
    ] = "",
    password: Annotated[
        str,
        typer.Option("--password", "-p", help="Made up if not given", metavar="<password>"),
    ] = "",
    login_type: Annotated[
        str, typer.Option(help="password, none, github or oidc", metavar="<type>")
    ] = "password",
    service_account: Annotated[
        bool, typer.Option("--service-account", help="For a program: it cannot log in")
    ] = False,
    org: Org = "",
) -> None:
    """Create a user."""
    from coder_cli.sdk.users import CreateUserRequest, LoginType

    check_output(login_type, "password", "none", "github", "oidc")
    client = config.connect()
    organization = find_organization(client, org)
    asker = ui.Asker(config.current().on("force-tty"))
    username = asker.text("Username:", flag="--username", given=username, check=names.check_name)
    email = asker.text("Email:", flag="--email", given=email, check=names.check_email)
    kind = LoginType.NONE if service_account else LoginType(login_type)
    if kind is LoginType.PASSWORD and not password:
        password = _password()
    request = CreateUserRequest(
        email=email,
        username=username,
        name=full_name,
        password=password,
        login_type=kind,
        organization_ids=[organization.id],
        service_account=service_account,
    )
    user = client.create_user(request)
    ui.result(_welcome(client, user, password))


@app.command("list")
def list_(
    search: Annotated[
        str, typer.Option("--search", help="A query, such as status:active", metavar="<query>")
    ] = "",
    github_user_id: Annotated[
        int, typer.Option(help="The user with this id at GitHub", metavar="<id>")
    ] = 0,
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """List users."""
    q = f"github_com_user_id:{github_user_id}" if github_user_id else search
    USERS.show(config.connect().users(q).users, output=output, columns=columns)


@app.command()
def show(user: UserName, output: Output = "table") -> None:
    """Show one user, with organizations and roles."""
    client = config.connect()
    found = find_user(client, user)
    if check_output(output, "table", "json") == "json":
        ui.result_json(found)
        return
    organizations = client.organizations_of(str(found.id))
    facts = {
        "Username": found.username,
        "Full name": found.name or "-",
        "Email": found.email,
        "ID": str(found.id),
        "Status": found.status.value,
        "Login type": found.login_type.value,
        "Created at": timestamp(found.created_at),
        "Last seen": timestamp(found.last_seen_at),
        "Roles": ", ".join(role.display_name or role.name for role in found.roles) or "Member",
        "Organizations": ", ".join(one.name for one in organizations) or "-",
    }
    for label, value in facts.items():
        ui.result(f"{label + ':':<15}{value}")


@app.command()
def suspend(user: UserName, columns: Columns = "", yes: Yes = False) -> None:
    """Lock a user out; nothing of theirs is deleted."""
    client = config.connect()
    found = find_user(client, user)
    USERS.show([found], output="table", columns=columns)
    _agree(f"Are you sure you want to suspend {found.username}?", yes=yes)
    changed = client.suspend_user(str(found.id))
    ui.result(f"\nUser {changed.username} has been suspended.")


@app.command()
def activate(user: UserName, columns: Columns = "", yes: Yes = False) -> None:
    """Let a suspended user in again."""
    client = config.connect()
    found = find_user(client, user)
    USERS.show([found], output="table", columns=columns)
    _agree(f"Are you sure you want to activate {found.username}?", yes=yes)
    changed = client.activate_user(str(found.id))
    ui.result(f"\nUser {changed.username} has been activated.")


@app.command()
def delete(user: UserName, yes: Yes = False) -> None:
    """Delete a user, who must have no workspaces."""
    client = config.connect()
    found = find_user(client, user)
    _agree(f"Are you sure you want to delete {found.username}?", yes=yes)
    client.delete_user(str(found.id))
    ui.result(f"User {found.username} has been deleted.")


@app.command("edit-roles")
def edit_roles(
    user: UserName,
    roles: Annotated[
        str | None, typer.Option(help="All their roles, by comma", metavar="<names>")
    ] = None,
    yes: Yes = False,
) -> None:
    """Give a user exactly these roles."""
    client = config.connect()
    found = find_user(client, user)
    if roles is None:
        now = ",".join(client.user_roles(str(found.id)).roles)
        asker = ui.Asker(config.current().on("force-tty"))
        roles = asker.text("Roles, by comma:", flag="--roles", default=now)
    wanted = [name.strip() for name in roles.split(",") if name.strip()]
    shown = ", ".join(wanted) or "member only"
    _agree(f"Are you sure that {found.username} should have these roles: {shown}?", yes=yes)
    client.set_user_roles(str(found.id), wanted)
    ui.result(f"User {found.username} now has these roles: {shown}.")


app.command("ls", hidden=True)(list_)


def _agree(question: str, *, yes: bool) -> None:
    ui.Asker(config.current().on("force-tty")).confirm(question, yes=yes)


def _password() -> str:
    from secrets import token_urlsafe

    return token_urlsafe(15)


def _welcome(client: Client, user: "User", password: str) -> str:
    lines = [
        f"A new user has been created! Share these instructions with {user.username}:",
        "",
        f"  1. Open or log in to: {client.url}",
        f"  2. Install the command line:  curl -fsSL {client.url}/install.sh | sh",
        f"  3. Log in:  coder login {client.url}",
        "",
        f"  Email:    {user.email}",
    ]
    match user.login_type:
        case "password":
            lines.append(f"  Password: {password}")
        case "none":
            lines.append("  They cannot log in: make a token for them with coder tokens create -u")
        case _:
            lines.append(f"  Log in with {user.login_type}.")
    return "\n".join(lines)
