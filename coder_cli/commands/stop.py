"""``coder stop``."""

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName, Yes
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
def stop(workspace: WorkspaceName, yes: Yes = False) -> None:
    """Stop a workspace; what its template keeps stays."""
    client = config.connect()
    found = find_workspace(client, workspace)
    latest = found.latest_build
    if latest.transition == "stop" and latest.job.status == "succeeded":
        ui.result(f"Workspace {found.name} is stopped already.")
        return
    builds.asker().confirm(f"Stop workspace {found.name!r}?", yes=yes)
    builds.refuse_while_building(found)
    builds.stop_and_wait(client, found)
    ui.result(f"Workspace {ui.styled(found.name, 'cyan')} has been stopped at {builds.now()}.")
    ui.note(f"\nStart it again:\n\n  coder start {workspace}\n")
