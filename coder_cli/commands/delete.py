"""``coder delete``."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName, Yes
from coder_cli.commands.following import follow_build
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
def delete(
    workspace: WorkspaceName,
    orphan: Annotated[
        bool,
        typer.Option("--orphan", help="Forget it without destroying what it is made of"),
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete a workspace and everything it is made of."""
    client = config.connect()
    found = find_workspace(client, workspace)
    what = "Forget" if orphan else "Delete"
    builds.asker().confirm(f"{what} workspace {found.owner_name}/{found.name}?", yes=yes)
    if found.latest_build.job.status.active:
        ui.note(f"It is {found.latest_build.status} just now. That is canceled first.")
        builds.cancel_and_wait(client, found)
    follow_build(client, builds.build(client, found, "delete", orphan=orphan))
    ui.result(f"Workspace {ui.styled(found.name, 'cyan')} has been deleted at {builds.now()}.")
