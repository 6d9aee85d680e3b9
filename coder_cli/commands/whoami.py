"""``coder whoami``."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.typed import new_app
from coder_cli.ui.tables import check_output, show_table

app = new_app()


@app.command()
def whoami(
    output: Annotated[
        str, typer.Option("--output", "-o", help="text, table or json", metavar="<form>")
    ] = "text",
) -> None:
    """Show who is logged in, and where."""
    check_output(output, "text", "table", "json")
    client = config.connect()
    user = client.user("me")
    if output == "text":
        name = ui.styled(user.username, "cyan")
        ui.result(f"Coder is running at {client.url}, You're authenticated as {name} !")
        return
    organizations = client.organizations_of("me")
    row = {
        "url": client.url,
        "username": user.username,
        "id": str(user.id),
        "organizations": ", ".join(sorted(one.name for one in organizations)),
        "roles": ", ".join(sorted(role.name for role in user.roles)),
    }
    if output == "json":
        ui.result_json(
            [
                row
                | {
                    "organization_ids": [str(one) for one in user.organization_ids],
                    "organizations": sorted(one.name for one in organizations),
                    "roles": sorted(role.name for role in user.roles),
                }
            ]
        )
    else:
        show_table([key.upper() for key in row], [list(row.values())])
