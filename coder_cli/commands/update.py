"""``coder update``."""

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.following import follow_build
from coder_cli.commands.parameter_flags import takes_parameters
from coder_cli.commands.parameters import Wanted
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
@takes_parameters
def update(workspace: WorkspaceName, *, wants: Wanted) -> None:
    """Move a workspace to its template's active version, and start it there."""
    client = config.connect()
    found = find_workspace(client, workspace)
    if not found.outdated and not wants.wishes:
        ui.result(f"Workspace {found.name} is up to date.")
        return
    version = found.template_active_version_id
    values = builds.values_for(client, version, wants, workspace=found, ask=True)
    builds.refuse_while_building(found)
    if found.latest_build.transition == "start":
        builds.stop_and_wait(client, found)
    build = builds.build(client, found, "start", version_id=version, values=values)
    finished = follow_build(client, build)
    ui.result(f"Workspace {found.name} now runs version {finished.template_version_name}.")
    ui.note(builds.next_step(finished, workspace))
