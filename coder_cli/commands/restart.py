"""``coder restart``."""

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
def restart(workspace: WorkspaceName, yes: Yes = False, *, wants: Wanted) -> None:
    """Stop a workspace and start it again."""
    client = config.connect()
    found = find_workspace(client, workspace)
    version = builds.start_version(found)
    # Ask before anything stops: a question half way would leave the workspace down.
    values = builds.values_for(client, version, wants, workspace=found, ask=not yes)
    builds.asker().confirm(f"Restart workspace {found.name!r}?", yes=yes)
    builds.refuse_while_building(found)
    builds.stop_and_wait(client, found)
    build = builds.build(client, found, "start", version_id=version, values=values)
    ended = follow_build(client, build)
    ui.result(f"Workspace {ui.styled(found.name, 'cyan')} has been restarted at {builds.now()}.")
    ui.note(builds.next_step(ended, workspace))
