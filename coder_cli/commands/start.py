"""``coder start``."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName, Yes
from coder_cli.commands.following import follow_build
from coder_cli.commands.parameter_flags import takes_parameters
from coder_cli.commands.parameters import Wanted
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
@takes_parameters
def start(
    workspace: WorkspaceName,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Return at once")] = False,
    yes: Yes = False,
    *,
    wants: Wanted,
) -> None:
    """Start a workspace."""
    client = config.connect()
    found = find_workspace(client, workspace)
    latest = found.latest_build
    if latest.transition == "start" and latest.job.status == "succeeded":
        ui.result(f"Workspace {found.name} is running already.")
        return
    if latest.transition == "start" and latest.job.status.active:
        ui.note(f"Workspace {found.name} is being started already.")
        build = latest
    else:
        builds.refuse_while_building(found)
        build = builds.start(client, found, builds.start_version(found), wants, yes=yes)
    if no_wait:
        ui.result(f"Workspace {found.name} is being started.")
        return
    ended = follow_build(client, build)
    ui.result(f"Workspace {ui.styled(found.name, 'cyan')} has been started at {builds.now()}.")
    ui.note(builds.next_step(ended, workspace))
