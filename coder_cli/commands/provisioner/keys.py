"""``coder provisioner keys``: with what daemons of other machines log in."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization
from coder_cli.commands.flags import Org, Output, Yes, columns_of
from coder_cli.commands.provisioner.tags import parse_tags, show_tags
from coder_cli.commands.typed import new_app
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.provisioners import ProvisionerKey

app = new_app("Manage provisioner keys.")

KEYS: "Listing[ProvisionerKey]" = Listing(
    [
        Column("created at", lambda key: timestamp(key.created_at)),
        Column("name", lambda key: key.name),
        Column("tags", lambda key: show_tags(key.tags)),
        Column("id", lambda key: str(key.id)),
        Column("organization id", lambda key: str(key.organization)),
    ],
    ["created at", "name", "tags"],
    "No provisioner keys found. Create one with: coder provisioner keys create <name>",
)

Name = Annotated[str, typer.Argument(metavar="<name>", help="The key's name.", show_default=False)]
Columns = Annotated[str, columns_of(KEYS)]


@app.command()
def create(
    name: Name,
    tag: Annotated[
        list[str],
        typer.Option(
            "--tag",
            "-t",
            envvar="CODER_PROVISIONERD_TAGS",
            help="A tag of its daemons; may be repeated",
            metavar="<key=value>",
            show_default=False,
        ),
    ] = [],  # noqa: B006 - Typer copies it
    org: Org = "",
) -> None:
    """Create a provisioner key and print it, once."""
    client = config.connect()
    organization = str(find_organization(client, org).id)
    key = client.create_provisioner_key(organization, name, parse_tags(tag))
    ui.note(
        f"Successfully created provisioner key {name}! "
        "Save this authentication token, it will not be shown again."
    )
    ui.result(key)


@app.command("list")
def list_(columns: Columns = "", output: Output = "table", org: Org = "") -> None:
    """List provisioner keys."""
    client = config.connect()
    organization = str(find_organization(client, org).id)
    KEYS.show(client.provisioner_keys(organization), output=output, columns=columns)


@app.command()
def delete(name: Name, yes: Yes = False, org: Org = "") -> None:
    """Delete a provisioner key; its daemons are disconnected."""
    client = config.connect()
    organization = str(find_organization(client, org).id)
    ui.Asker(config.current().on("force-tty")).confirm(
        f"Are you sure you want to delete provisioner key {name}?", yes=yes
    )
    client.delete_provisioner_key(organization, name)
    ui.result(f"Successfully deleted provisioner key {name}!")


app.command("ls", hidden=True)(list_)
app.command("rm", hidden=True)(delete)
