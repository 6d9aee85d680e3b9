"""``coder rename``."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName, Yes
from coder_cli.commands.typed import new_app
from coder_cli.kit import names
from coder_cli.kit.refused import Refused

app = new_app()


@app.command()
def rename(
    workspace: WorkspaceName,
    new_name: Annotated[
        str, typer.Argument(metavar="<new name>", help="Its new name.", show_default=False)
    ],
    yes: Yes = False,
) -> None:
    """Rename a workspace."""
    complaint = names.check_name(new_name)
    if complaint is not None:
        raise Refused(f"{new_name!r} cannot be a workspace's name: {complaint}.")
    client = config.connect()
    found = find_workspace(client, workspace)
    if not yes:
        ui.warn("A rename can lose data: templates name disks and containers after the workspace.")
        typed = builds.asker().text(f"Type the present name ({found.name}) to go on:", flag="--yes")
        if typed != found.name:
            raise Refused("Canceled: nothing was changed.")
    client.rename_workspace(found.id, new_name)
    ui.result(f"Workspace {found.name} is now called {new_name}.")
